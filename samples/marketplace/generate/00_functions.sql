-- The generator's own schema: hashing, choosing, clocks and word lists. The last step drops it.
-- Every value is a pure function of a row number, a salt and the seed, by integer hashing and exact float arithmetic only
-- (no random(), no clock, no libm), so that any server version makes the same rows.
-- The seed and scale are written into the functions as constants; all are inlined by the planner.
CREATE SCHEMA marketplace_generator;
SET search_path = marketplace_generator, marketplace;

DO $make$
BEGIN
  EXECUTE format($sql$
    CREATE FUNCTION marketplace_generator.h(n bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
      'SELECT hashint8extended($1, %s::bigint * 1000003 + $2)'
  $sql$, coalesce(nullif(current_setting('howdah.seed', true), ''), '1')::bigint);
  EXECUTE format($sql$
    CREATE FUNCTION marketplace_generator.scaled(base int, at_least int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
      'SELECT greatest($2, round($1 * %s::numeric)::int)'
  $sql$, coalesce(nullif(current_setting('howdah.scale', true), ''), '1')::numeric);
END $make$;

-- A whole number from 0 to below; a fraction from 0 to just under 1; one of a list; true for that share.
CREATE FUNCTION r(n bigint, salt int, below bigint) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT ((h($1, $2) & 9223372036854775807) % $3)::int';
CREATE FUNCTION u(n bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT (h($1, $2) & 4503599627370495)::float8 / 4503599627370496.0::float8';
CREATE FUNCTION pick(list text[], n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT ($1)[1 + r($2, $3, cardinality($1))]';
CREATE FUNCTION chance(n bigint, salt int, percent int) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT r($1, $2, 100) < $3';
-- A cube-law choice below `below`: number 0 is by far the most frequent (near Zipf's law, without logarithms).
CREATE FUNCTION skewed(n bigint, salt int, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT floor(u($1, $2) * u($1, $2 + 500000) * u($1, $2 + 900000) * $3)::bigint';
CREATE FUNCTION uuid_of(n bigint, salt int) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT (lpad(to_hex(h($1, $2)), 16, '0') || lpad(to_hex(h($1, $2 + 700000)), 16, '0'))::uuid$$;
CREATE FUNCTION token_of(n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT lpad(to_hex(h($1, $2)), 16, '0') || lpad(to_hex(h($1, $2 + 700000)), 16, '0')$$;
CREATE FUNCTION ip_of(n bigint, salt int) RETURNS inet LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT '2.0.0.0'::inet + (h($1, $2) & 2147483647)$$;

-- Clocks, in seconds since 1970. The data ends at 2026-01-01 UTC, users join from 2021, orders begin in 2024 and become denser.
CREATE FUNCTION data_end() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1767225600::bigint';
CREATE FUNCTION at(seconds float8) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT to_timestamp(floor($1))';
-- The moment of event i of n in the last two years, rising with i: at the end events come four times as dense as at the start.
CREATE FUNCTION event_seconds(i bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT data_end() - floor(63072000.0::float8 * ((1.0::float8 - ($1 - 0.5::float8) / $2) * (0.4::float8 + 0.6::float8 * (1.0::float8 - ($1 - 0.5::float8) / $2))))::bigint';
-- The moment entity id of n came into being: in blocks of 64, evenly over the five years from 2021.
CREATE FUNCTION joined_seconds(id bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT 1609459200 + ($1 - 1) / 64 * 157680000 / ($2 / 64) + r($1, 77, 157680000 / ($2 / 64))';
-- How many blocks, of n, existed in full at that moment.
CREATE FUNCTION existing(seconds bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT greatest(1, ($1 - 1609459200) * $2 / 157680000)';

-- Sixteen tenants share 64 slots, the first a third of them; an entity's number decides its slot. Sizes are multiples of 64.
CREATE FUNCTION tenant_of(id bigint) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT ('{1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2,2,2,2,2,2,2,2,2,2,2,2,3,3,3,3,3,3,3,3,4,4,4,4,4,5,5,5,6,6,7,8,9,10,11,12,13,14,15,16}'::int[])[1 + ($1 - 1) % 64]$$;
CREATE FUNCTION tenant_first(tenant int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT ('{0,24,36,44,49,52,54,55,56,57,58,59,60,61,62,63}'::int[])[$1]$$;
CREATE FUNCTION tenant_slots(tenant int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT ('{24,12,8,5,3,2,1,1,1,1,1,1,1,1,1,1}'::int[])[$1]$$;
-- Entity number `rank` (from 0) of a tenant, spread over the tenant's slots.
CREATE FUNCTION of_tenant(tenant int, rank bigint, n bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT $2 * 64 + tenant_first($1) + r($3, $4, tenant_slots($1)) + 1';
CREATE FUNCTION tenant_currency(tenant int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT ('{EUR,GBP,USD,EUR,EUR,GBP,EUR,SEK,EUR,PLN,EUR,USD,CHF,EUR,GBP,EUR}'::text[])[$1]$$;

-- How many of each.
CREATE FUNCTION users_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(730, 6) * 64';
CREATE FUNCTION vendors_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(20, 2) * 64';
CREATE FUNCTION products_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(390, 6) * 64';
CREATE FUNCTION organisations_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(50, 3) * 64';
CREATE FUNCTION orders_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(78000, 400)';
CREATE FUNCTION carts_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(28000, 200)';
CREATE FUNCTION reviews_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(70000, 300)';
CREATE FUNCTION tickets_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(17000, 150)';
CREATE FUNCTION chats_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(18500, 100)';
CREATE FUNCTION ads_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(3000, 60)';

-- Popular products are spread over the catalogue: a permutation of ranks (the factor is a prime larger than any count).
CREATE FUNCTION product_rank(n bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT (skewed($1, $2, products_n() / 64) * 15485863) % (products_n() / 64)';
-- A product of the tenant that existed at that moment.
CREATE FUNCTION product_for(tenant int, seconds bigint, n bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT of_tenant($1, product_rank($3, $4) % existing($2, products_n() / 64), $3, $4 + 1)';
-- A user of the tenant who had joined by that moment; long-standing customers are the most active.
CREATE FUNCTION user_for(tenant int, seconds bigint, n bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT of_tenant($1, floor(u($3, $4) * u($3, $4 + 500000) * (existing($2, users_n() / 64)))::bigint, $3, $4 + 1)';

-- People and places.
CREATE FUNCTION first_name(n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pick('{Anna,Ben,Clara,David,Emma,Felix,Grace,Henrik,Ines,Jack,Karin,Liam,Marta,Noah,Olga,Paul,Quentin,Rosa,Samuel,Tina,Umar,Vera,William,Yara,Zoe,Adam,Beatrice,Carlos,Daria,Elias,Fiona,George,Hanna,Ivan,Julia,Kai,Laura,Miguel,Nina,Oscar,Petra,Robert,Sofia,Thomas,Ursula,Victor,Wendy,Xavier,Yusuf,Agnes,Bruno,Charlotte,Dominik,Eva,Francesco,Giulia,Hugo,Isabel,Jan,Katarzyna,Lukas,Maria,Nils,Oliver,Priya,Rafael,Sarah,Tomas,Valentina,Amir,Chloe,Daniel,Ella,Freya,Gabriel,Helena,Isaac,Jasmine,Leo,Mia}'::text[], $1, $2) $$;
CREATE FUNCTION last_name(n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pick('{Smith,Jones,Taylor,Brown,Wilson,Evans,Walker,Wright,Robinson,Thompson,Müller,Schmidt,Schneider,Fischer,Weber,Meyer,Wagner,Becker,Hoffmann,Schäfer,Martin,Bernard,Dubois,Laurent,Moreau,Lefebvre,Girard,Rousseau,García,Fernández,López,Martínez,Sánchez,Pérez,Romero,Navarro,Rossi,Russo,Ferrari,Bianchi,Romano,Colombo,Ricci,Marino,Kowalski,Nowak,Wójcik,Kamiński,Lewandowski,Zieliński,Andersson,Johansson,Karlsson,Nilsson,Lindberg,Berg,Jansen,de Vries,Bakker,Visser,Smit,Peters,Novák,Svoboda,Dvořák,Silva,Santos,Ferreira,Costa,Oliveira,Patel,Khan,Singh,Ahmed,Chen,Nguyen,Kim,Murphy,Kelly,Byrne}'::text[], $1, $2) $$;
CREATE FUNCTION street(n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pick('{Station Road,High Street,Church Lane,Mill Lane,Park Avenue,Victoria Road,Garden Close,Market Square,King Street,School Lane,Bridge Street,Meadow Way,Harbour Road,Forest Drive,Castle Hill,Orchard Row,River Walk,Chapel Street,Maple Avenue,Linden Street}'::text[], $1, $2) $$;
-- Letters are mapped before they are lowered, so that a database's locale cannot matter.
CREATE FUNCTION email_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT lower(translate($1, 'áäåéíłńóöřúüñ ''', 'aaaeilnooruun'))$$;

CREATE TABLE places (no int PRIMARY KEY, country char(2), city text, region text, postcode text, digits int, dial text, locale text, timezone text);
INSERT INTO places VALUES
  (0, 'DE', 'Berlin', 'Berlin', '10', 3, '+49', 'de-DE', 'Europe/Berlin'), (1, 'GB', 'London', 'Greater London', 'SW', 2, '+44', 'en-GB', 'Europe/London'),
  (2, 'DE', 'Hamburg', 'Hamburg', '20', 3, '+49', 'de-DE', 'Europe/Berlin'), (3, 'FR', 'Paris', 'Île-de-France', '750', 2, '+33', 'fr-FR', 'Europe/Paris'),
  (4, 'GB', 'Manchester', 'Greater Manchester', 'M', 2, '+44', 'en-GB', 'Europe/London'), (5, 'DE', 'München', 'Bayern', '80', 3, '+49', 'de-DE', 'Europe/Berlin'),
  (6, 'US', 'New York', 'New York', '100', 2, '+1', 'en-US', 'America/New_York'), (7, 'NL', 'Amsterdam', 'Noord-Holland', '10', 2, '+31', 'nl-NL', 'Europe/Amsterdam'),
  (8, 'ES', 'Madrid', 'Madrid', '280', 2, '+34', 'es-ES', 'Europe/Madrid'), (9, 'IT', 'Milano', 'Lombardia', '201', 2, '+39', 'it-IT', 'Europe/Rome'),
  (10, 'DE', 'Köln', 'Nordrhein-Westfalen', '50', 3, '+49', 'de-DE', 'Europe/Berlin'), (11, 'FR', 'Lyon', 'Auvergne-Rhône-Alpes', '690', 2, '+33', 'fr-FR', 'Europe/Paris'),
  (12, 'PL', 'Warszawa', 'Mazowieckie', '00', 3, '+48', 'pl-PL', 'Europe/Warsaw'), (13, 'SE', 'Stockholm', 'Stockholm', '11', 3, '+46', 'sv-SE', 'Europe/Stockholm'),
  (14, 'US', 'Chicago', 'Illinois', '606', 2, '+1', 'en-US', 'America/Chicago'), (15, 'ES', 'Barcelona', 'Catalunya', '080', 2, '+34', 'es-ES', 'Europe/Madrid'),
  (16, 'GB', 'Bristol', 'Bristol', 'BS', 2, '+44', 'en-GB', 'Europe/London'), (17, 'CH', 'Zürich', 'Zürich', '80', 2, '+41', 'de-CH', 'Europe/Zurich'),
  (18, 'DE', 'Leipzig', 'Sachsen', '04', 3, '+49', 'de-DE', 'Europe/Berlin'), (19, 'IT', 'Roma', 'Lazio', '001', 2, '+39', 'it-IT', 'Europe/Rome'),
  (20, 'US', 'Austin', 'Texas', '787', 2, '+1', 'en-US', 'America/Chicago'), (21, 'NL', 'Rotterdam', 'Zuid-Holland', '30', 2, '+31', 'nl-NL', 'Europe/Amsterdam'),
  (22, 'FR', 'Marseille', 'Provence-Alpes-Côte d''Azur', '130', 2, '+33', 'fr-FR', 'Europe/Paris'), (23, 'PL', 'Kraków', 'Małopolskie', '30', 3, '+48', 'pl-PL', 'Europe/Warsaw'),
  (24, 'GB', 'Leeds', 'West Yorkshire', 'LS', 2, '+44', 'en-GB', 'Europe/London'), (25, 'SE', 'Göteborg', 'Västra Götaland', '41', 3, '+46', 'sv-SE', 'Europe/Stockholm'),
  (26, 'IE', 'Dublin', 'Leinster', 'D', 2, '+353', 'en-IE', 'Europe/Dublin'), (27, 'US', 'Seattle', 'Washington', '981', 2, '+1', 'en-US', 'America/Los_Angeles'),
  (28, 'AT', 'Wien', 'Wien', '1', 3, '+43', 'de-AT', 'Europe/Vienna'), (29, 'ES', 'Valencia', 'Comunitat Valenciana', '460', 2, '+34', 'es-ES', 'Europe/Madrid'),
  (30, 'IT', 'Torino', 'Piemonte', '101', 2, '+39', 'it-IT', 'Europe/Rome'), (31, 'PT', 'Lisboa', 'Lisboa', '1', 3, '+351', 'pt-PT', 'Europe/Lisbon');
-- Big cities first: the choice is skewed, and city, region, postcode, dialling code and locale belong together.
CREATE FUNCTION place_no(n bigint, salt int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT floor(u($1, $2) * u($1, $2 + 1) * 32)::int';
CREATE FUNCTION digits(n bigint, salt int, count int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$SELECT lpad(((h($1, $2) & 9223372036854775807) % 1000000000)::text, $3, '0')$$;

-- What a product of that department is made of, and how one differs from the next.
CREATE FUNCTION material(department int, n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pick(CASE WHEN $1 IN (2, 3) THEN '{cotton,"merino wool",linen,leather,denim,canvas,"recycled polyester"}'::text[] WHEN $1 = 1 THEN '{aluminium,"recycled plastic",glass,steel}'
                   WHEN $1 IN (4, 5, 11) THEN '{oak,steel,"cast iron",bamboo,ceramic,linen,glass,cork}' WHEN $1 = 6 THEN '{"shea butter","almond oil","aloe vera","rose water",beeswax}'
                   WHEN $1 = 9 THEN '{"recycled paper",paper,cardboard}' WHEN $1 = 10 THEN '{"organic ingredients","fair trade ingredients","local ingredients"}'
                   ELSE '{nylon,cotton,beech,rubber,felt,"recycled plastic",steel}' END, $2, $3) $$;
CREATE FUNCTION finish(department int, n bigint, salt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT pick(CASE WHEN $1 = 9 THEN '{Hardback,Paperback,Gift Edition,Large Print,Pocket Edition}'::text[] WHEN $1 = 10 THEN '{Single,Gift Box,Family Pack,Tasting Set,Refill}' WHEN $1 = 6 THEN '{Rose,Lavender,Citrus,Unscented,Cedar,Vanilla}'
                   ELSE '{Black,White,Navy,Forest Green,Sand,Terracotta,Grey,Burgundy,Mustard,Sky Blue,Ivory,Charcoal}' END, $2, $3) $$;

-- What the shop sells: leaf categories with their nouns, usual price and weight.
CREATE TABLE leaves (no int PRIMARY KEY, department int, name text, nouns text[], price numeric, grams int);
INSERT INTO leaves
  SELECT row_number() OVER () - 1, d, name, nouns::text[], price, grams FROM (VALUES
  (1, 'Phones', '{Smartphone,Phone Case,Screen Protector}', 240, 260), (1, 'Laptops', '{Laptop,Notebook Stand,Laptop Sleeve}', 520, 1900),
  (1, 'Audio', '{Headphones,Bluetooth Speaker,Earbuds}', 89, 420), (1, 'Cameras', '{Mirrorless Camera,Action Camera,Tripod}', 330, 900),
  (1, 'Cables and Chargers', '{USB-C Cable,Wall Charger,Power Bank}', 19, 180), (1, 'Smart Home', '{Smart Plug,LED Lamp,Door Sensor}', 34, 250),
  (2, 'Women''s Dresses', '{Summer Dress,Wrap Dress,Maxi Dress}', 58, 380), (2, 'Men''s Shirts', '{Oxford Shirt,Linen Shirt,Flannel Shirt}', 42, 300),
  (2, 'Knitwear', '{Wool Jumper,Cardigan,Roll Neck}', 64, 520), (2, 'Jeans', '{Slim Jeans,Straight Jeans,Denim Jacket}', 72, 780),
  (2, 'Outerwear', '{Rain Jacket,Down Coat,Parka}', 139, 1100), (2, 'Accessories', '{Leather Belt,Silk Scarf,Wool Hat}', 29, 160),
  (3, 'Running Shoes', '{Running Shoe,Trail Shoe,Racing Flat}', 98, 640), (3, 'Boots', '{Chelsea Boot,Hiking Boot,Rain Boot}', 119, 1300),
  (3, 'Sandals', '{Leather Sandal,Beach Slide,Walking Sandal}', 39, 450), (3, 'Trainers', '{Canvas Trainer,Leather Trainer,High-top}', 79, 720),
  (4, 'Cookware', '{Frying Pan,Saucepan,Casserole}', 54, 2100), (4, 'Tableware', '{Dinner Plate,Mug,Bowl Set}', 26, 900),
  (4, 'Small Appliances', '{Coffee Grinder,Kettle,Hand Blender}', 69, 1700), (4, 'Bedding', '{Duvet Cover,Pillow,Fitted Sheet}', 47, 1200),
  (4, 'Lighting', '{Table Lamp,Pendant Light,Floor Lamp}', 83, 2400), (4, 'Storage', '{Storage Box,Wall Shelf,Laundry Basket}', 31, 1600),
  (5, 'Sofas', '{Two-seat Sofa,Corner Sofa,Armchair}', 640, 38000), (5, 'Tables', '{Dining Table,Coffee Table,Desk}', 290, 24000),
  (5, 'Chairs', '{Dining Chair,Office Chair,Bar Stool}', 120, 8200), (5, 'Rugs', '{Wool Rug,Jute Rug,Runner}', 95, 5200),
  (6, 'Skincare', '{Face Cream,Cleanser,Serum}', 24, 140), (6, 'Hair', '{Shampoo,Conditioner,Hair Oil}', 14, 330),
  (6, 'Fragrance', '{Eau de Parfum,Body Mist,Scented Candle}', 52, 260), (6, 'Make-up', '{Lipstick,Mascara,Foundation}', 21, 60),
  (7, 'Cycling', '{Bike Helmet,Cycling Jersey,Bike Light}', 61, 480), (7, 'Camping', '{Two-person Tent,Sleeping Bag,Camping Stove}', 112, 2600),
  (7, 'Fitness', '{Yoga Mat,Kettlebell,Resistance Band}', 33, 2900), (7, 'Swimming', '{Goggles,Swimsuit,Swim Cap}', 27, 150),
  (8, 'Building Sets', '{Building Set,Marble Run,Train Set}', 44, 1300), (8, 'Board Games', '{Strategy Game,Party Game,Card Game}', 29, 950),
  (8, 'Soft Toys', '{Teddy Bear,Plush Rabbit,Plush Fox}', 22, 300), (8, 'Outdoor Toys', '{Kite,Scooter,Sand Set}', 36, 1800),
  (9, 'Fiction', '{Novel,Short Stories,Paperback}', 12, 320), (9, 'Cookbooks', '{Cookbook,Baking Book,Wine Guide}', 25, 900),
  (9, 'Children''s Books', '{Picture Book,Activity Book,Story Collection}', 11, 350), (9, 'Stationery', '{Notebook,Fountain Pen,Desk Planner}', 17, 260),
  (10, 'Coffee and Tea', '{Espresso Beans,Green Tea,Filter Coffee}', 13, 500), (10, 'Chocolate', '{Dark Chocolate,Praline Box,Cocoa}', 9, 220),
  (10, 'Pantry', '{Olive Oil,Pasta,Honey}', 10, 750), (10, 'Wine', '{Red Wine,White Wine,Sparkling Wine}', 16, 1350),
  (11, 'Plants', '{House Plant,Herb Pot,Orchid}', 23, 1900), (11, 'Garden Tools', '{Secateurs,Garden Hose,Spade}', 37, 1700),
  (11, 'Outdoor Furniture', '{Garden Bench,Parasol,Lounge Chair}', 210, 14000), (11, 'Barbecue', '{Charcoal Grill,Grill Tongs,Smoker Box}', 134, 9000),
  (12, 'Dog', '{Dog Lead,Dog Bed,Chew Toy}', 28, 700), (12, 'Cat', '{Scratching Post,Cat Bed,Cat Litter}', 32, 2800),
  (12, 'Baby Care', '{Baby Blanket,Changing Mat,Baby Bottle}', 24, 400), (12, 'Pushchairs', '{Pushchair,Baby Carrier,Car Seat}', 260, 8500)
  ) AS l(d, name, nouns, price, grams);
ANALYZE places;
ANALYZE leaves;
SET search_path = marketplace, marketplace_generator;
