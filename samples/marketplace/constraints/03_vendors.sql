-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE vendors
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations NOT VALID,
  ADD FOREIGN KEY (owner_user_id) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE vendor_profiles
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID;
ALTER TABLE vendor_bank_accounts
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE vendor_performance
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors ON DELETE CASCADE NOT VALID;
ALTER TABLE payouts
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors NOT VALID,
  ADD FOREIGN KEY (bank_account_id) REFERENCES vendor_bank_accounts NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE payout_items
  ADD FOREIGN KEY (payout_id) REFERENCES payouts NOT VALID,
  ADD FOREIGN KEY (order_item_id) REFERENCES order_items NOT VALID;
