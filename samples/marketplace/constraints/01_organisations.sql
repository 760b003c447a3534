-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE countries
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE tenants
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE users
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID;
ALTER TABLE user_addresses
  ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID;
ALTER TABLE organisations
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE organisation_roles
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations ON DELETE CASCADE NOT VALID;
ALTER TABLE organisation_members
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (role_id) REFERENCES organisation_roles NOT VALID;
ALTER TABLE organisation_invitations
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (invited_by) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (role_id) REFERENCES organisation_roles NOT VALID;
ALTER TABLE kyc_applications
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations NOT VALID,
  ADD FOREIGN KEY (submitted_by) REFERENCES users NOT VALID;
ALTER TABLE kyc_documents
  ADD FOREIGN KEY (application_id) REFERENCES kyc_applications NOT VALID,
  ADD FOREIGN KEY (issuing_country) REFERENCES countries NOT VALID;
ALTER TABLE kyc_checks
  ADD FOREIGN KEY (application_id) REFERENCES kyc_applications NOT VALID;
ALTER TABLE beneficial_owners
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations NOT VALID,
  ADD FOREIGN KEY (nationality) REFERENCES countries NOT VALID;
