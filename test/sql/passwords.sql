-- Passwords and random codes: libcrypt's schemes, the bounds, and that codes use the whole alphabet.
BEGIN;
SELECT plan(24);

SELECT matches(relygate.hash_password('Gate-keeper-7431'), '^\$y\$j9T\$[./0-9A-Za-z]{22}\$[./0-9A-Za-z]{43}$', 'a new password is hashed by yescrypt');
SELECT isnt(relygate.hash_password('Gate-keeper-7431'), relygate.hash_password('Gate-keeper-7431'), 'each hash has its own salt');
SELECT ok(relygate.verify_password('Gate-keeper-7431', relygate.hash_password('Gate-keeper-7431')), 'the right password is right');
SELECT ok(NOT relygate.verify_password('gate-keeper-7431', relygate.hash_password('Gate-keeper-7431')), 'another one is wrong');
SELECT ok(NOT relygate.verify_password('', relygate.hash_password('Gate-keeper-7431')), '... and none, too');
SELECT ok(relygate.verify_password('Пароль-ключ-7', relygate.hash_password('Пароль-ключ-7')), 'passwords are bytes of any script');

-- Test vectors of libxcrypt and OpenBSD's bcrypt: what another product stored.
SELECT ok(relygate.verify_password('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), 'bcrypt 2a is accepted');
SELECT ok(relygate.verify_password('U*U', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), '... and 2y');
SELECT ok(relygate.verify_password('U*U', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), '... and 2b');
SELECT ok(NOT relygate.verify_password('U*V', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), '... not with another password');
SELECT ok(NOT relygate.verify_password('password', hash), 'refused as a hash: ' || hash)
  FROM unnest(ARRAY['', 'password', '$1$salt$qJH7.N4xYta3aEG/dfqo/0', '$2b$', '*0', '$y$j9T$']) hash;
SELECT is(relygate.verify_password('x', NULL), false, 'no hash: false, not null');
SELECT is(relygate.verify_password(NULL, relygate.hash_password('x')), false, 'no password: false, not null');

-- crypt() reads 511 bytes; the tail of a longer password counts all the same.
SELECT ok(relygate.verify_password(repeat('a', 1024), relygate.hash_password(repeat('a', 1024))), '1,024 bytes are a password');
SELECT ok(NOT relygate.verify_password(repeat('a', 1023) || 'b', relygate.hash_password(repeat('a', 1024))), 'its last byte counts');
SELECT throws_ok($$ SELECT relygate.hash_password(repeat('a', 1025)) $$, 'RG400', 'password is too long', 'a longer one is refused');

SELECT ok(bool_and(relygate.random_code(8) ~ '^[2-9A-HJ-NP-Z]{8}$'), 'codes have no 0, O, 1, I') FROM generate_series(1, 200);
SELECT is((SELECT count(DISTINCT letter)::int FROM generate_series(1, 60) n, regexp_split_to_table(relygate.random_code(n), '') letter), 32,
    'codes use all 32 symbols');
SELECT is((SELECT string_agg(DISTINCT digit, '' ORDER BY digit) FROM generate_series(1, 60) n, regexp_split_to_table(relygate.random_digits(n), '') digit),
    '0123456789', 'security codes use all digits');

SELECT * FROM finish();
ROLLBACK;
