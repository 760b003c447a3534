-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE categories
  ADD FOREIGN KEY (parent_id) REFERENCES categories NOT VALID;
ALTER TABLE brands
  ADD FOREIGN KEY (country) REFERENCES countries NOT VALID;
ALTER TABLE products
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors NOT VALID,
  ADD FOREIGN KEY (category_id) REFERENCES categories NOT VALID,
  ADD FOREIGN KEY (brand_id) REFERENCES brands NOT VALID,
  ADD FOREIGN KEY (currency) REFERENCES currencies NOT VALID;
ALTER TABLE product_variants
  ADD FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE NOT VALID;
ALTER TABLE product_images
  ADD FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE NOT VALID;
ALTER TABLE price_history
  ADD FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (changed_by) REFERENCES users NOT VALID;
ALTER TABLE reviews
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE review_votes
  ADD FOREIGN KEY (review_id) REFERENCES reviews ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE product_questions
  ADD FOREIGN KEY (product_id) REFERENCES products NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE product_answers
  ADD FOREIGN KEY (question_id) REFERENCES product_questions ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (vendor_id) REFERENCES vendors NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
