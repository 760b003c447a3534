-- needs: 00_functions
INSERT INTO currencies (code, name, minor_units, eur_rate) VALUES
  ('EUR', 'Euro', 2, 1), ('GBP', 'Pound sterling', 2, 0.8612), ('USD', 'US dollar', 2, 1.0934), ('CHF', 'Swiss franc', 2, 0.9571),
  ('SEK', 'Swedish krona', 2, 11.2840), ('PLN', 'Polish złoty', 2, 4.3125), ('JPY', 'Japanese yen', 0, 161.25);

INSERT INTO countries (code, name, currency, phone_prefix, vat_rate) VALUES
  ('DE', 'Germany', 'EUR', '+49', 19), ('GB', 'United Kingdom', 'GBP', '+44', 20), ('FR', 'France', 'EUR', '+33', 20), ('US', 'United States', 'USD', '+1', 0),
  ('NL', 'Netherlands', 'EUR', '+31', 21), ('ES', 'Spain', 'EUR', '+34', 21), ('IT', 'Italy', 'EUR', '+39', 22), ('PL', 'Poland', 'PLN', '+48', 23),
  ('SE', 'Sweden', 'SEK', '+46', 25), ('CH', 'Switzerland', 'CHF', '+41', 8.1), ('IE', 'Ireland', 'EUR', '+353', 23), ('AT', 'Austria', 'EUR', '+43', 20),
  ('PT', 'Portugal', 'EUR', '+351', 23);

INSERT INTO tenants (id, name, slug, plan, country, currency, domain, settings, created_at)
SELECT i, name, email_name(replace(name, ' ', '-')), CASE WHEN i <= 3 THEN 'enterprise' WHEN i <= 8 THEN 'growth' ELSE 'starter' END,
       country, tenant_currency(i), email_name(replace(name, ' ', '')) || '.example',
       jsonb_build_object('theme', pick('{light,dark,classic}', i, 1001), 'returns_days', 14 + 16 * (i % 2), 'guest_checkout', i % 3 <> 0, 'languages', jsonb_build_array('en', lower(country))),
       at(1577836800 + i * 864000)
  FROM (SELECT i, ('{Market Hall,Harbour and Vale,Juniper Street,Kontor Nord,Atelier Onze,The Linen Press,Orange Crate,Fjord Goods,Casa Olmo,Bazar Wisła,Finca Verde,Prairie Supply,Alpenladen,Tulip Yard,Moor and Mill,Porto Novo}'::text[])[i] AS name,
               ('{DE,GB,US,DE,FR,GB,NL,SE,ES,PL,IT,US,CH,NL,GB,PT}'::text[])[i] AS country
          FROM generate_series(1, 16) i) t;

INSERT INTO users (id, tenant_id, email, password_hash, first_name, last_name, phone, birth_date, country, locale, status,
                   marketing_opt_in, labels, last_login_at, last_login_ip, created_at, updated_at, deleted_at)
SELECT i, tenant_of(i), email_name(replace(f || '.' || l, ' ', '')) || i || '@' || pick('{example.com,mail.example.com,example.org,post.example.net}', i, 1104),
       '$2b$12$' || token_of(i, 1105) || token_of(i, 1106), f, l,
       CASE WHEN chance(i, 1107, 82) THEN dial || ' ' || digits(i, 1108, 9) END,
       CASE WHEN chance(i, 1109, 74) THEN date '1948-01-01' + r(i, 1110, 10600) + r(i, 1111, 10600) END,
       country, locale, CASE WHEN gone THEN 'deleted' WHEN chance(i, 1112, 4) THEN 'unverified' WHEN chance(i, 1113, 1) THEN 'suspended' ELSE 'active' END,
       chance(i, 1114, 38), CASE WHEN chance(i, 1115, 6) THEN '{vip}'::text[] WHEN chance(i, 1116, 5) THEN '{business,net30}' ELSE '{}' END,
       at(data_end() - u(i, 1117) * u(i, 1118) * u(i, 1119) * (data_end() - j)), ip_of(i, 1120), at(j), at(j + u(i, 1121) * (data_end() - j)),
       CASE WHEN gone THEN at(data_end() - u(i, 1122) * (data_end() - j)) END
  FROM (SELECT i, first_name(i, 1101) AS f, last_name(i, 1102) AS l, place_no(i, 1103) AS p, joined_seconds(i, users_n()) AS j, chance(i, 1123, 2) AS gone
          FROM generate_series(1, users_n()) i OFFSET 0) s
  JOIN places ON no = p;

INSERT INTO user_addresses (id, user_id, label, recipient, line1, line2, postcode, city, region, country, phone, is_default, created_at)
SELECT (i - 1) * 2 + a, i, CASE a WHEN 1 THEN 'home' ELSE pick('{work,parents,holiday home}', i, 1201) END,
       first_name(i, 1101) || ' ' || last_name(i, 1102), 1 + r(i, 1202 + a, 180) || ' ' || street(i, 1204 + a),
       CASE WHEN chance(i, 1207 + a, 20) THEN 'Flat ' || 1 + r(i, 1209, 40) END,
       postcode || digits(i, 1210 + a, digits), city, region, country, dial || ' ' || digits(i, 1108, 9), a = 1, at(joined_seconds(i, users_n()) + a * 3600)
  FROM generate_series(1, users_n()) i
 CROSS JOIN LATERAL generate_series(1, CASE WHEN chance(i, 1212, 30) THEN 2 ELSE 1 END) a
  JOIN places ON no = place_no(i, 1103);

INSERT INTO organisations (id, tenant_id, legal_name, trading_name, registration_number, vat_number, kind, country, city, address, billing_email, credit_limit, currency, created_at, deleted_at)
SELECT i, tenant_of(i), name || ' ' || CASE country WHEN 'DE' THEN 'GmbH' WHEN 'AT' THEN 'GmbH' WHEN 'GB' THEN 'Ltd' WHEN 'US' THEN 'Inc.' WHEN 'FR' THEN 'SARL' WHEN 'NL' THEN 'B.V.' ELSE 'S.A.' END,
       CASE WHEN chance(i, 1304, 60) THEN name END, country || '-' || digits(i, 1305, 8), CASE WHEN chance(i, 1306, 85) THEN country || digits(i, 1307, 9) END,
       CASE WHEN chance(i, 1308, 70) THEN 'company' ELSE pick('{partnership,sole_trader,charity,public_body}', i, 1309) END, country, city,
       jsonb_build_object('line1', 1 + r(i, 1310, 90) || ' ' || street(i, 1311), 'postcode', postcode || digits(i, 1312, digits), 'city', city, 'country', country),
       'accounts' || i || '@' || email_name(replace(last_name(i, 1301), ' ', '')) || '.example', (1 + r(i, 1313, 60)) * 500, tenant_currency(tenant_of(i)),
       at(joined_seconds(i, organisations_n())), CASE WHEN chance(i, 1314, 2) THEN at(data_end() - r(i, 1315, 20000000)) END
  FROM (SELECT i, last_name(i, 1301) || ' ' || pick('{Trading,and Sons,Logistics,Interiors,Supplies,Design,Kitchens,Outfitters,Consulting,Wholesale}', i, 1302) AS name, place_no(i, 1303) AS p
          FROM generate_series(1, organisations_n()) i OFFSET 0) s
  JOIN places ON no = p;

INSERT INTO organisation_roles (id, organisation_id, name, permissions, spending_limit)
SELECT (i - 1) * 3 + k, i, ('{owner,buyer,viewer}'::text[])[k],
       CASE k WHEN 1 THEN '{order:create,order:approve,member:manage,invoice:read}'::text[] WHEN 2 THEN '{order:create,invoice:read}' ELSE '{order:read}' END,
       CASE k WHEN 2 THEN (1 + r(i, 1401, 20)) * 250 END
  FROM generate_series(1, organisations_n()) i, generate_series(1, 3) k;

INSERT INTO organisation_members (organisation_id, user_id, role_id, job_title, joined_at, left_at)
SELECT i, (r(i, 1501, users_n() / 64) + m) % (users_n() / 64) * 64 + tenant_first(tenant_of(i)) + r(i, 1502, tenant_slots(tenant_of(i))) + 1,
       (i - 1) * 3 + CASE m WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE 3 END, pick('{Owner,Head of Purchasing,Office Manager,Accountant,Store Manager,Assistant}', i * 8 + m, 1503),
       at(joined_seconds(i, organisations_n()) + m * 86400), CASE WHEN chance(i * 8 + m, 1504, 7) THEN at(data_end() - r(i * 8 + m, 1505, 9000000)) END
  FROM generate_series(1, organisations_n()) i CROSS JOIN LATERAL generate_series(1, 1 + r(i, 1506, 5)) m;

INSERT INTO organisation_invitations (id, organisation_id, invited_by, email, role_id, accepted_at, expires_at, created_at)
SELECT uuid_of(i, 1601), o, (r(o, 1501, users_n() / 64) + 1) % (users_n() / 64) * 64 + tenant_first(tenant_of(o)) + r(o, 1502, tenant_slots(tenant_of(o))) + 1,
       email_name(first_name(i, 1602)) || '.' || i || '@example.org', o * 3 - r(i, 1603, 2), CASE WHEN chance(i, 1604, 55) THEN at(t + r(i, 1605, 500000)) END, at(t + 604800), at(t)
  FROM (SELECT i, 1 + r(i, 1606, organisations_n()) AS o, event_seconds(i, organisations_n() / 2) AS t FROM generate_series(1, organisations_n() / 2) i OFFSET 0) s;

INSERT INTO kyc_applications (id, organisation_id, submitted_by, status, risk_score, answers, submitted_at, decided_at, decision_note, created_at)
SELECT i, i, (r(i, 1501, users_n() / 64) + 1) % (users_n() / 64) * 64 + tenant_first(tenant_of(i)) + r(i, 1502, tenant_slots(tenant_of(i))) + 1, status::kyc_status,
       (u(i, 1701) * u(i, 1702) * 100)::int,
       jsonb_build_object('turnover_band', pick('{under 100k,100k to 1m,1m to 10m,over 10m}', i, 1703), 'employees', 1 + skewed(i, 1704, 400), 'ships_abroad', chance(i, 1705, 45)),
       CASE WHEN status <> 'draft' THEN at(t + 3600) END, CASE WHEN status IN ('approved', 'rejected', 'expired') THEN at(t + 90000 + r(i, 1706, 800000)) END,
       CASE WHEN status = 'rejected' THEN pick('{Documents could not be read,Owner could not be verified,Registered address does not match}', i, 1707) END, at(t)
  FROM (SELECT i, joined_seconds(i, organisations_n()) + 7200 AS t,
               pick('{approved,approved,approved,approved,approved,approved,submitted,in_review,rejected,expired,draft}', i, 1708) AS status
          FROM generate_series(1, organisations_n()) i OFFSET 0) s;

INSERT INTO kyc_documents (id, application_id, kind, document_number, holder_name, holder_birth_date, issuing_country, expires_on, file_key, file_bytes, verified, uploaded_at)
SELECT uuid_of(i * 4 + d, 1801), i, CASE d WHEN 1 THEN pick('{passport,identity_card,driving_licence}', i, 1802) WHEN 2 THEN 'company_extract' ELSE pick('{bank_statement,utility_bill}', i, 1803) END,
       upper(substr(token_of(i * 4 + d, 1804), 1, 2)) || digits(i * 4 + d, 1805, 7), first_name(i, 1806) || ' ' || last_name(i, 1807), date '1955-01-01' + r(i, 1808, 17000),
       country, CASE d WHEN 1 THEN date '2026-01-01' + r(i, 1809, 3200) - 300 END, 'kyc/' || i || '/' || d || '.pdf', 60000 + skewed(i * 4 + d, 1810, 4000000), chance(i, 1811, 80),
       at(joined_seconds(i, organisations_n()) + 7500 + d * 60)
  FROM generate_series(1, organisations_n()) i CROSS JOIN LATERAL generate_series(1, 2 + r(i, 1812, 2)) d JOIN places ON no = place_no(i, 1303);

INSERT INTO kyc_checks (id, application_id, provider, check_kind, passed, score, response, checked_at)
SELECT (i - 1) * 3 + k, i, pick('{TrueName,ClearFile,Sentinel ID}', i, 1901), ('{sanctions,pep,identity}'::text[])[k], chance(i * 3 + k, 1902, 94), 50 + r(i * 3 + k, 1903, 5000) / 100.0,
       jsonb_build_object('reference', substr(token_of(i * 3 + k, 1904), 1, 12), 'matches', r(i * 3 + k, 1905, 3), 'lists', jsonb_build_array('EU', 'UN', 'OFAC')),
       at(joined_seconds(i, organisations_n()) + 9000 + k * 30)
  FROM generate_series(1, organisations_n()) i, generate_series(1, 3) k;

INSERT INTO beneficial_owners (id, organisation_id, full_name, birth_date, nationality, national_id, share_percent, politically_exposed)
SELECT (i - 1) * 2 + k, i, first_name(i * 2 + k, 1951) || ' ' || last_name(i * 2 + k, 1952), date '1950-01-01' + r(i * 2 + k, 1953, 18000), country,
       country || digits(i * 2 + k, 1954, 9), 25 + r(i, 1955, 2400) / 100.0, chance(i * 2 + k, 1956, 2)
  FROM generate_series(1, organisations_n()) i CROSS JOIN LATERAL generate_series(1, 1 + r(i, 1957, 2)) k JOIN places ON no = place_no(i, 1303);
