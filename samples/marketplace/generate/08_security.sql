-- needs: 00_functions
CREATE FUNCTION marketplace_generator.user_agent(n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pick('{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36","Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1","Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36","Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15","Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"}'::text[], $1, $2) $$;

INSERT INTO sessions (id, user_id, token_hash, ip, user_agent, data, created_at, last_seen_at, expires_at, revoked_at)
SELECT uuid_of(i, 8001), usr, token_of(i, 8002), CASE WHEN chance(i, 8003, 70) THEN ip_of(usr, 1120) ELSE ip_of(i, 8004) END, user_agent(i, 8005),
       jsonb_build_object('cart_items', skewed(i, 8006, 9), 'theme', pick('{light,dark}', usr, 8007), 'last_path', '/' || pick('{home,search,cart,orders,account,product/}', i, 8008)),
       at(t), at(least(data_end(), t + skewed(i, 8009, 2000000))), at(t + 2592000), CASE WHEN chance(i, 8010, 15) THEN at(t + r(i, 8011, 200000)) END
  FROM (SELECT i, event_seconds(i, scaled(47000, 200)) AS t, user_for(tenant_of(1 + r(i, 8012, 64)), event_seconds(i, scaled(47000, 200)), i, 8013) AS usr FROM generate_series(1, scaled(47000, 200)) i OFFSET 0) s;

INSERT INTO api_keys (id, tenant_id, user_id, name, prefix, key_hash, scopes, allowed_networks, last_used_at, expires_at, revoked_at, created_at)
SELECT uuid_of(i, 8101), tenant, of_tenant(tenant, r(i, 8102, users_n() / 64), i, 8103), pick('{ERP import,Warehouse scanner,Reporting,Price sync,Mobile app,Marketplace feed}', i, 8104), 'hk_' || substr(token_of(i, 8105), 1, 6), token_of(i, 8106) || token_of(i, 8107),
       CASE r(i, 8108, 3) WHEN 0 THEN '{products:read,orders:read}'::text[] WHEN 1 THEN '{products:write,stock:write}' ELSE '{reports:read}' END, CASE WHEN chance(i, 8109, 30) THEN ARRAY[('10.' || r(i, 8110, 250) || '.0.0/16')::cidr] ELSE '{}' END,
       at(data_end() - skewed(i, 8111, 30000000)), at(data_end() + r(i, 8112, 30000000)), CASE WHEN chance(i, 8113, 12) THEN at(data_end() - r(i, 8114, 9000000)) END, at(1704067200 + r(i, 8115, 30000000))
  FROM (SELECT i, tenant_of(1 + r(i, 8116, 64)) AS tenant FROM generate_series(1, scaled(470, 30)) i OFFSET 0) s;

INSERT INTO audit_logs (id, tenant_id, actor_user_id, action, entity, entity_id, changes, ip, occurred_at)
SELECT i, tenant, usr, pick('{update,update,update,create,create,delete,login,export}', i, 8201), entity, 1 + skewed(i, 8202, 30000),
       CASE WHEN chance(i, 8203, 60) THEN jsonb_build_object('field', pick('{price,status,email,address,stock,title}', i, 8204), 'old', r(i, 8205, 1000), 'new', r(i, 8206, 1000)) END, ip_of(usr, 1120), at(t)
  FROM (SELECT i, tenant, t, user_for(tenant, t, i, 8207) AS usr, pick('{products,products,orders,orders,users,stock,coupons,vendors}', i, 8208) AS entity
          FROM (SELECT i, tenant_of(1 + r(i, 8209, 64)) AS tenant, event_seconds(i, scaled(70000, 200)) AS t FROM generate_series(1, scaled(70000, 200)) i OFFSET 0) a OFFSET 0) s;

INSERT INTO login_attempts (id, user_id, email, ip, succeeded, failure, attempted_at)
SELECT i, CASE WHEN known THEN usr END, CASE WHEN known THEN 'customer' || usr || '@example.com' ELSE 'unknown' || r(i, 8301, 5000) || '@example.net' END, CASE WHEN known THEN ip_of(usr, 1120) ELSE ip_of(r(i, 8302, 40), 8303) END, ok,
       CASE WHEN NOT ok THEN CASE WHEN known THEN pick('{wrong_password,wrong_password,second_factor,suspended}', i, 8304) ELSE 'unknown_account' END END, at(t)
  FROM (SELECT i, t, known, known AND chance(i, 8305, 88) AS ok, user_for(tenant_of(1 + r(i, 8306, 64)), t, i, 8307) AS usr
          FROM (SELECT i, event_seconds(i, scaled(62500, 200)) AS t, chance(i, 8309, 90) AS known FROM generate_series(1, scaled(62500, 200)) i OFFSET 0) a OFFSET 0) s;

INSERT INTO two_factor_devices (id, user_id, kind, label, phone, secret_ciphertext, confirmed_at, deleted_at)
SELECT row_number() OVER (ORDER BY i), i, kind, pick('{Phone,Work phone,Security key,Laptop}', i, 8401), CASE kind WHEN 'sms' THEN '+44 ' || digits(i, 1108, 9) END, decode(token_of(i, 8402), 'hex'), at(joined_seconds(i, users_n()) + 86400), CASE WHEN chance(i, 8403, 5) THEN at(data_end() - 100000) END
  FROM (SELECT i, pick('{totp,totp,sms,webauthn,email}', i, 8404) AS kind FROM generate_series(1, users_n()) i WHERE chance(i, 8405, 14) OFFSET 0) s;

INSERT INTO roles (id, name, description) VALUES (1, 'customer', 'Buys'), (2, 'vendor', 'Sells'), (3, 'support', 'Answers tickets'), (4, 'catalogue', 'Edits products'), (5, 'finance', 'Pays vendors'), (6, 'administrator', 'Everything');
INSERT INTO user_roles (user_id, role_id, granted_by, granted_at)
SELECT i, k, CASE WHEN k > 1 THEN 1 + r(i, 8501, 64) END, at(joined_seconds(i, users_n()) + k * 60) FROM generate_series(1, users_n()) i CROSS JOIN LATERAL generate_series(1, 6) k WHERE k = 1 OR r(i * 8 + k, 8502, 1000) < 30 / k;

INSERT INTO consents (id, user_id, purpose, granted, version, ip, recorded_at)
SELECT (i - 1) * 3 + k, i, ('{terms,privacy,marketing}'::text[])[k], k < 3 OR chance(i, 1114, 38), '2024-0' || 1 + r(i, 8601, 3), ip_of(i, 1120), at(joined_seconds(i, users_n()) + k)
  FROM generate_series(1, users_n()) i CROSS JOIN LATERAL generate_series(1, CASE WHEN chance(i, 8602, 60) THEN 3 ELSE 1 END) k;

INSERT INTO erasure_requests (id, user_id, kind, status, requested_at, due_at, completed_at)
SELECT row_number() OVER (ORDER BY i), i, pick('{erasure,erasure,access,portability,rectification}', i, 8701), CASE WHEN t < data_end() - 2592000 THEN pick('{done,done,done,refused}', i, 8702) ELSE pick('{received,verifying}', i, 8703) END, at(t), at(t + 2592000),
       CASE WHEN t < data_end() - 2592000 THEN at(t + r(i, 8704, 2000000)) END
  FROM (SELECT i, data_end() - skewed(i, 8705, data_end() - joined_seconds(i, users_n())) AS t FROM generate_series(1, users_n()) i WHERE i % 83 = 5 OFFSET 0) s;

INSERT INTO rate_limits (bucket, hits, window_start)
SELECT 'ip:' || host(ip_of(i, 8801)) || ':' || pick('{login,search,api}', i, 8802) || ':' || i, 1 + skewed(i, 8803, 300), at(data_end() - r(i, 8804, 600)) FROM generate_series(1, scaled(4000, 50)) i;
