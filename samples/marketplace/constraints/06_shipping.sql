-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE shipping_zones
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID;
ALTER TABLE shipping_rates
  ADD FOREIGN KEY (zone_id) REFERENCES shipping_zones NOT VALID,
  ADD FOREIGN KEY (carrier_id) REFERENCES carriers NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE shipments
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID,
  ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses NOT VALID,
  ADD FOREIGN KEY (carrier_id) REFERENCES carriers NOT VALID;
ALTER TABLE shipment_items
  ADD FOREIGN KEY (shipment_id) REFERENCES shipments ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (order_item_id) REFERENCES order_items NOT VALID;
ALTER TABLE tracking
  ADD FOREIGN KEY (shipment_id) REFERENCES shipments ON DELETE CASCADE NOT VALID;
ALTER TABLE returns
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE return_items
  ADD FOREIGN KEY (return_id) REFERENCES returns ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (order_item_id) REFERENCES order_items NOT VALID;
