-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE carts
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE cart_items
  ADD FOREIGN KEY (cart_id) REFERENCES carts ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID;
ALTER TABLE cart_abandonments
  ADD FOREIGN KEY (cart_id) REFERENCES carts ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE wishlists
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE wishlist_items
  ADD FOREIGN KEY (wishlist_id) REFERENCES wishlists ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID;
ALTER TABLE orders
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (organisation_id) REFERENCES organisations NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE order_items
  ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID,
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors NOT VALID;
ALTER TABLE order_status_history
  ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (changed_by) REFERENCES users NOT VALID;
ALTER TABLE payment_methods
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE payments
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID,
  ADD FOREIGN KEY (payment_method_id) REFERENCES payment_methods NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE refunds
  ADD FOREIGN KEY (payment_id) REFERENCES payments NOT VALID,
  ADD FOREIGN KEY (approved_by) REFERENCES users NOT VALID;
ALTER TABLE invoices
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
