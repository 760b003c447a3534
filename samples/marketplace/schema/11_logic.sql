-- Functions, triggers and views over the tables.
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;

CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER products_touch BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER carts_touch BEFORE UPDATE ON carts FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER stock_touch BEFORE UPDATE ON stock FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER reviews_touch BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER tickets_touch BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE FUNCTION index_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search := setweight(to_tsvector('english'::regconfig, NEW.title), 'A')
             || setweight(to_tsvector('english'::regconfig, NEW.body), 'B');
  RETURN NEW;
END $$;

CREATE TRIGGER knowledge_base_articles_search BEFORE INSERT OR UPDATE OF title, body ON knowledge_base_articles
  FOR EACH ROW EXECUTE FUNCTION index_article();

CREATE FUNCTION available_stock(of_variant bigint) RETURNS bigint LANGUAGE sql STABLE
  SET search_path = marketplace AS $$
  SELECT coalesce(sum(on_hand - reserved), 0) FROM stock WHERE variant_id = of_variant
$$;

CREATE FUNCTION order_total(of_order bigint) RETURNS numeric LANGUAGE sql STABLE
  SET search_path = marketplace AS $$
  SELECT o.discount * -1 + o.shipping + o.tax
       + (SELECT coalesce(sum(i.line_total), 0) FROM order_items i WHERE i.order_id = o.id)
    FROM orders o WHERE o.id = of_order
$$;

CREATE FUNCTION erase_user(of_user bigint) RETURNS void LANGUAGE plpgsql
  SET search_path = marketplace AS $$
BEGIN
  UPDATE users SET email = 'erased-' || id || '@example.invalid', first_name = 'Erased', last_name = 'Customer',
         phone = NULL, birth_date = NULL, last_login_ip = NULL, status = 'deleted', deleted_at = now()
   WHERE id = of_user;
  UPDATE user_addresses SET recipient = 'Erased Customer', line1 = '', line2 = NULL, phone = NULL, deleted_at = now()
   WHERE user_id = of_user;
END $$;

CREATE VIEW open_orders AS
  SELECT o.id, o.tenant_id, o.order_number, o.status, o.total, o.currency, o.created_at,
         u.email, u.first_name || ' ' || u.last_name AS customer
    FROM orders o JOIN users u ON u.id = o.user_id
   WHERE o.status IN ('pending', 'paid', 'packed') AND o.deleted_at IS NULL;

CREATE MATERIALIZED VIEW product_ratings AS
  SELECT product_id, count(*) AS reviews, round(avg(rating), 2) AS rating
    FROM reviews WHERE status = 'approved' AND deleted_at IS NULL
   GROUP BY product_id
  WITH NO DATA;
