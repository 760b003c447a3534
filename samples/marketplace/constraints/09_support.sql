-- Foreign keys, added unchecked after the data; the loader validates them table by table.
ALTER TABLE support_agents
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE tickets
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID,
  ADD FOREIGN KEY (agent_id) REFERENCES support_agents NOT VALID;
ALTER TABLE ticket_messages
  ADD FOREIGN KEY (ticket_id) REFERENCES tickets ON DELETE CASCADE NOT VALID,
  ADD FOREIGN KEY (author_user_id) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (agent_id) REFERENCES support_agents NOT VALID;
ALTER TABLE chat_conversations
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID,
  ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID,
  ADD FOREIGN KEY (agent_id) REFERENCES support_agents NOT VALID;
ALTER TABLE chat_messages
  ADD FOREIGN KEY (conversation_id) REFERENCES chat_conversations ON DELETE CASCADE NOT VALID;
ALTER TABLE knowledge_base_categories
  ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID;
ALTER TABLE knowledge_base_articles
  ADD FOREIGN KEY (category_id) REFERENCES knowledge_base_categories NOT VALID;
ALTER TABLE notifications
  ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID;
