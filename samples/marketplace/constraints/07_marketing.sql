-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE campaigns
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE ads
  ADD FOREIGN KEY (campaign_id) REFERENCES campaigns NOT VALID,
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID;
ALTER TABLE ad_impressions
  ADD FOREIGN KEY (ad_id) REFERENCES ads NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE ad_clicks
  ADD FOREIGN KEY (impression_id) REFERENCES ad_impressions NOT VALID,
  ADD FOREIGN KEY (ad_id) REFERENCES ads NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
ALTER TABLE coupons
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE coupon_redemptions
  ADD FOREIGN KEY (coupon_id) REFERENCES coupons NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE deals
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID;
ALTER TABLE deal_products
  ADD FOREIGN KEY (deal_id) REFERENCES deals ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID;
ALTER TABLE loyalty_programs
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID;
ALTER TABLE loyalty_tiers
  ADD FOREIGN KEY (program_id) REFERENCES loyalty_programs NOT VALID;
ALTER TABLE loyalty_accounts
  ADD FOREIGN KEY (program_id) REFERENCES loyalty_programs NOT VALID,
  ADD FOREIGN KEY (tier_id) REFERENCES loyalty_tiers NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE loyalty_transactions
  ADD FOREIGN KEY (account_id) REFERENCES loyalty_accounts NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
ALTER TABLE newsletter_subscriptions
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL NOT VALID;
