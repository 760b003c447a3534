-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE warehouses
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID,
  ADD FOREIGN KEY (manager_user_id) REFERENCES users NOT VALID;
ALTER TABLE warehouse_locations
  ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses NOT VALID;
ALTER TABLE stock
  ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID,
  ADD FOREIGN KEY (location_id) REFERENCES warehouse_locations NOT VALID;
ALTER TABLE stock_movements
  ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
ALTER TABLE stock_reservations
  ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID,
  ADD FOREIGN KEY (cart_id) REFERENCES carts NOT VALID;
ALTER TABLE transfers
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (from_warehouse_id) REFERENCES warehouses NOT VALID,
  ADD FOREIGN KEY (to_warehouse_id) REFERENCES warehouses NOT VALID;
ALTER TABLE transfer_items
  ADD FOREIGN KEY (transfer_id) REFERENCES transfers ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID;
ALTER TABLE suppliers
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID;
ALTER TABLE purchase_orders
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (supplier_id) REFERENCES suppliers NOT VALID,
  ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE purchase_order_items
  ADD FOREIGN KEY (purchase_order_id) REFERENCES purchase_orders ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (variant_id) REFERENCES product_variants NOT VALID;
