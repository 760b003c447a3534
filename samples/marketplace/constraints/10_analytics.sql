-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE product_views
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE search_queries
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE daily_sales
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE reports
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (owner_user_id) REFERENCES users NOT VALID;
ALTER TABLE report_runs
  ADD FOREIGN KEY (report_id) REFERENCES reports ON DELETE CASCADE NOT VALID;
