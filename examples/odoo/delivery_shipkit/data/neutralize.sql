-- A copy of a database books nothing, asks nobody and tells no carrier to push to it. Methods are archived by core's.
UPDATE shipkit_account_setting
   SET content = NULL
 WHERE account_id IN (SELECT id FROM shipkit_account WHERE environment <> 'simulator');
UPDATE shipkit_account
   SET environment = 'test'
 WHERE environment IN ('production', 'certification');
UPDATE shipkit_account
   SET subscribed = false;
