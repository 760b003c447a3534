-- needs: 00_functions
INSERT INTO vendors (id, tenant_id, organisation_id, owner_user_id, name, slug, status, commission_percent, currency, joined_at, deleted_at)
SELECT i, tenant, of_tenant(tenant, r(i, 3001, organisations_n() / 64), i, 3002), of_tenant(tenant, r(i, 3003, 1 + users_n() / 256), i, 3004), name, email_name(replace(name, ' ', '-')) || '-' || i,
       CASE WHEN chance(i, 3005, 3) THEN 'suspended' WHEN chance(i, 3006, 3) THEN 'closed' ELSE 'active' END,
       CASE WHEN tenant <= 3 THEN 8 + r(i, 3007, 9) ELSE 5 + r(i, 3008, 6) END, tenant_currency(tenant), at(joined_seconds(i, vendors_n())),
       CASE WHEN chance(i, 3006, 3) THEN at(data_end() - r(i, 3009, 10000000)) END
  FROM (SELECT i, tenant_of(i) AS tenant, pick('{The,Little,Old,North,Blue,Green,Bright,Honest}', i, 3010) || ' ' || pick('{Lantern,Anchor,Barn,Compass,Kiln,Loom,Orchard,Harbour,Workbench,Pantry,Attic,Forge}', i, 3011) || ' ' || pick('{Shop,Company,Store,Goods,House,Studio}', i, 3012) AS name
          FROM generate_series(1, vendors_n()) i OFFSET 0) s;

INSERT INTO vendor_profiles (vendor_id, headline, about, contact_name, contact_email, contact_phone, city, country, social, return_days)
SELECT i, pick('{"Made by hand, sent the same day","Family business since 1984","Everyday things, done well","Small range, large stock"}', i, 3101),
       'We are a team of ' || 2 + r(i, 3102, 30) || ' people in ' || city || '. ' || pick('{"We pack every parcel ourselves.","Most of what we sell is made within an hour of our door.","Ask us anything, we answer within a day.","We visit every maker we work with."}', i, 3103),
       first_name(i, 3104) || ' ' || last_name(i, 3105), email_name(first_name(i, 3104)) || '@vendor' || i || '.example', dial || ' ' || digits(i, 3106, 9), city, country,
       jsonb_build_object('instagram', '@vendor' || i, 'followers', skewed(i, 3107, 40000)), (array[14, 14, 30, 30, 60])[1 + r(i, 3108, 5)]
  FROM generate_series(1, vendors_n()) i JOIN places ON no = place_no(i, 3109);

INSERT INTO vendor_bank_accounts (id, vendor_id, holder_name, iban, bic, currency, verified_at, deleted_at)
SELECT i + k * vendors_n(), i, first_name(i, 3104) || ' ' || last_name(i, 3105), country || digits(i + k * 9, 3201, 2) || digits(i + k * 9, 3202, 9) || digits(i + k * 9, 3203, 9),
       upper(translate(substr(token_of(i + k, 3204), 1, 4), '0123456789', 'ABCDEFGHIJ')) || country || 'XX', tenant_currency(tenant_of(i)),
       CASE WHEN k = 0 OR chance(i, 3205, 50) THEN at(joined_seconds(i, vendors_n()) + 300000) END, CASE WHEN k = 1 AND chance(i, 3206, 50) THEN at(data_end() - r(i, 3207, 9000000)) END
  FROM generate_series(1, vendors_n()) i CROSS JOIN LATERAL generate_series(0, CASE WHEN chance(i, 3208, 15) THEN 1 ELSE 0 END) k JOIN places ON no = place_no(i, 3109);
