CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer INTEGER NOT NULL REFERENCES customers (id),
  cents INTEGER NOT NULL CHECK (cents >= 0)
);
CREATE INDEX orders_by_customer ON orders (customer);
