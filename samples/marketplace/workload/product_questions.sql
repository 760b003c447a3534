-- name: product_questions
-- area: catalog
-- weight: 12
-- kind: read
-- param 1: product_questions.product_id
SELECT q.question, q.asked_at, a.answer, a.answered_at
  FROM product_questions q LEFT JOIN product_answers a ON a.question_id = q.id
 WHERE q.product_id = $1 AND q.deleted_at IS NULL ORDER BY q.asked_at DESC LIMIT 10;
