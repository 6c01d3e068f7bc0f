from . import test_install, test_method, test_webhooks
