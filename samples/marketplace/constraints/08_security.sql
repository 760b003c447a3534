-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE sessions
  ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID;
ALTER TABLE api_keys
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE audit_logs
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (actor_user_id) REFERENCES users NOT VALID;
ALTER TABLE login_attempts
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE two_factor_devices
  ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID;
ALTER TABLE user_roles
  ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (role_id) REFERENCES roles NOT VALID,
  ADD FOREIGN KEY (granted_by) REFERENCES users NOT VALID;
ALTER TABLE consents
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE erasure_requests
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
