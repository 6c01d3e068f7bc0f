-- A copy of a database books nothing, asks nobody and tells no carrier to push to it.
UPDATE shipkit_account
   SET environment = 'test', base_url = NULL, subscribed = false
 WHERE environment IN ('production', 'certification');
UPDATE shipkit_account_setting
   SET value = NULL
 WHERE secret;
