-- needs: 05_orders
INSERT INTO support_agents (id, tenant_id, user_id, display_name, team, languages, is_active)
SELECT i, tenant_of(i), of_tenant(tenant_of(i), r(i, 9001, 3), i, 9002), first_name(i, 9003) || ' ' || substr(last_name(i, 9004), 1, 1) || '.', pick('{orders,orders,payments,technical,vendors}', i, 9005), CASE WHEN chance(i, 9006, 50) THEN '{en,de}'::text[] WHEN chance(i, 9007, 50) THEN '{en,fr,es}' ELSE '{en}' END, chance(i, 9008, 88)
  FROM generate_series(1, scaled(2, 1) * 64) i;

-- A ticket is about an order of its writer's.
INSERT INTO tickets (id, tenant_id, user_id, order_id, agent_id, subject, status, priority, topic, tags, created_at, first_reply_at, solved_at, updated_at, deleted_at)
SELECT i, b.tenant, b.user_id, b.id, CASE WHEN s.status <> 'new' THEN of_tenant(b.tenant, r(i, 9101, scaled(2, 1)), i, 9102) END,
       CASE topic WHEN 'delivery' THEN pick('{Where is my parcel?,Parcel marked delivered but not here,Change of address,Delivery on Saturday?}', i, 9103) WHEN 'payment' THEN pick('{Charged twice,Invoice needed,Payment failed,Refund not received}', i, 9104)
                  WHEN 'product' THEN pick('{Part missing,Broken on arrival,Wrong colour,How do I clean it?}', i, 9105) ELSE pick('{Cannot log in,Delete my account,Change my e-mail,Newsletter}', i, 9106) END,
       s.status::ticket_status, pick('{low,normal,normal,normal,normal,high,urgent}', i, 9107)::ticket_priority, topic, ARRAY[topic, pick('{web,mail,phone,app}', i, 9108)],
       at(t), CASE WHEN s.status <> 'new' THEN at(t + 300 + skewed(i, 9109, 90000)) END, CASE WHEN s.status IN ('solved', 'closed') THEN at(t + 100000 + r(i, 9110, 300000)) END, at(t + 400000), CASE WHEN chance(i, 9111, 1) THEN at(data_end() - 500) END
  FROM (SELECT i, 1 + (i::bigint * orders_n() - 1) / tickets_n() AS order_no, pick('{delivery,delivery,delivery,payment,product,product,account}', i, 9112) AS topic,
               CASE WHEN i > tickets_n() * 99 / 100 THEN pick('{new,open}', i, 9113) WHEN chance(i, 9114, 5) THEN pick('{open,waiting}', i, 9115) ELSE pick('{solved,closed}', i, 9116) END AS status FROM generate_series(1, tickets_n()) i OFFSET 0) s
  JOIN marketplace_generator.order_base b ON b.id = least(order_no, orders_n()) CROSS JOIN LATERAL (SELECT b.created + 50000 + r(i, 9117, 600000) AS t OFFSET 0) x;

INSERT INTO ticket_messages (id, ticket_id, author_user_id, agent_id, body, is_internal, sent_at)
SELECT (t.id - 1) * 5 + k, t.id, CASE WHEN k % 2 = 1 OR agent_id IS NULL THEN user_id END, CASE WHEN k % 2 = 0 THEN agent_id END,
       CASE WHEN k % 2 = 1 OR agent_id IS NULL THEN pick('{"Hello, I am writing about order HW-","I still have no answer about order HW-","Please help me with order HW-","Here is the photo you asked for, order HW-"}', t.id * 5 + k, 9201) || 100000 + order_id || '. ' || pick('{"The tracking page has not changed for days.","The amount on my statement is wrong.","I need it before the weekend.","One part is missing from the box.","Thank you for your help."}', t.id * 5 + k, 9202)
            ELSE pick('{"Thank you for your message.","We are sorry for the trouble.","I have looked into your order."}', t.id * 5 + k, 9203) || ' ' || pick('{"A replacement leaves our warehouse today.","The carrier promises delivery tomorrow.","The refund takes three to five days.","Could you send us a photo?","Your invoice is attached."}', t.id * 5 + k, 9204) END,
       k = 4 AND agent_id IS NOT NULL AND chance(t.id, 9205, 30), created_at + (k - 1) * interval '6 hours'
  FROM tickets t CROSS JOIN LATERAL generate_series(1, CASE WHEN agent_id IS NULL THEN 1 ELSE 2 + r(t.id, 9206, 4) END) k;

INSERT INTO chat_conversations (id, tenant_id, user_id, agent_id, visitor_name, page_url, started_at, ended_at, rating)
SELECT i, tenant, CASE WHEN known THEN user_for(tenant, t, i, 9301) END, CASE WHEN chance(i, 9303, 60) THEN of_tenant(tenant, r(i, 9304, scaled(2, 1)), i, 9305) END, CASE WHEN NOT known THEN first_name(i, 9306) END, '/' || pick('{products/,cart,checkout,orders,help}', i, 9307), at(t), at(t + 120 + r(i, 9308, 1500)), CASE WHEN chance(i, 9309, 30) THEN 5 - skewed(i, 9310, 5) END
  FROM (SELECT i, tenant_of(1 + r(i, 9311, 64)) AS tenant, event_seconds(i, chats_n()) AS t, chance(i, 9312, 70) AS known FROM generate_series(1, chats_n()) i OFFSET 0) s;

INSERT INTO chat_messages (id, conversation_id, sender, body, sent_at, read_at)
SELECT (c.id - 1) * 8 + k, c.id, CASE WHEN k % 2 = 1 THEN 'customer' WHEN agent_id IS NULL THEN 'assistant' ELSE 'agent' END,
       CASE WHEN k % 2 = 1 THEN pick('{"Hi, is this still in stock?","When will my order arrive?","Can I change the size?","The coupon does not work.","Do you ship to Switzerland?","Great, thank you!","Which one is warmer?","I forgot my password."}', c.id * 8 + k, 9401)
            ELSE pick('{"Hello! Let me check that for you.","Yes, it is in stock in two sizes.","It should arrive within three days.","Please try again now, I have reset it.","You can return it within thirty days.","Is there anything else I can do?","I am passing you on to a colleague."}', c.id * 8 + k, 9402) END,
       started_at + k * interval '23 seconds', started_at + k * interval '23 seconds' + interval '4 seconds'
  FROM chat_conversations c CROSS JOIN LATERAL generate_series(1, 2 + r(c.id, 9403, 6)) k;

INSERT INTO knowledge_base_categories (id, tenant_id, name, position)
SELECT (i - 1) * 5 + k, i, ('{Orders,Delivery,Returns,Payment,Account}'::text[])[k], k FROM generate_series(1, 16) i, generate_series(1, 5) k;
INSERT INTO knowledge_base_articles (id, category_id, title, body, view_count, published_at, updated_at, deleted_at)
SELECT i, 1 + (i - 1) % 80, pick('{How do I,When can I,Where do I,Can I}', i, 9501) || ' ' || pick('{track my parcel?,return an item?,change my address?,pay by invoice?,use a coupon?,delete my account?,cancel an order?,reach support?}', i, 9502),
       pick('{"Open your account and choose the order.","You will find it under Settings.","Write to us within fourteen days.","It depends on where you live."}', i, 9503) || ' ' || pick('{"The page shows every step of the parcel.","Print the label and hand the parcel to the carrier.","The amount is booked back to the same card.","We confirm by e-mail within an hour.","Changes are possible until the order is packed."}', i, 9504) || ' ' || pick('{"If anything is unclear, our team is here from eight to six.","Business customers have their own page.","This does not apply to gift cards.","Sale items follow the same rules."}', i, 9505),
       skewed(i, 9506, 20000), at(1704067200 + r(i, 9507, 50000000)), at(1760000000 + r(i, 9508, 7000000)), CASE WHEN chance(i, 9509, 3) THEN at(data_end() - 4000000) END
  FROM generate_series(1, scaled(620, 160)) i;

INSERT INTO notifications (id, user_id, kind, payload, created_at, read_at)
SELECT i, b.user_id, kind, jsonb_build_object('order_id', b.id, 'title', CASE kind WHEN 'order' THEN 'Thank you for your order' WHEN 'shipment' THEN 'Your parcel is on its way' WHEN 'price_drop' THEN 'A product on your list is cheaper' WHEN 'loyalty' THEN 'You have new points' ELSE 'Tell us what you think' END),
       at(t), CASE WHEN chance(i, 9601, 58) THEN at(t + skewed(i, 9602, 400000)) END
  FROM (SELECT i, 1 + (i::bigint - 1) * orders_n() / scaled(62500, 300) AS order_no, pick('{order,order,shipment,shipment,price_drop,back_in_stock,loyalty,support}', i, 9603) AS kind FROM generate_series(1, scaled(62500, 300)) i OFFSET 0) s
  JOIN marketplace_generator.order_base b ON b.id = order_no CROSS JOIN LATERAL (SELECT b.created + r(i, 9604, 200000) AS t OFFSET 0) x;
