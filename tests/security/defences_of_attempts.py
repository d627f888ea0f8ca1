"""Defences around attempts: what counts as a guess, who is counted, and where a client comes from."""

from tests.security.defence import Defence

ATTEMPTS = [
    Defence(
        "headers that name different clients do not count",
        "web/client_address.py",
        "return clients.pop() if len(clients) == 1 else nearest",
        "return clients.pop() if clients else nearest",
        "web/test_client_address.py::test_headers_that_agree_count",
    ),
    Defence(
        "only a trusted peer names the client",
        "web/client_address.py",
        "    if not proxies.trusts_peer(scope, peer):\n        return nearest\n",
        "",
        "web/test_client.py::test_the_rightmost_address_that_is_no_trusted_proxy_counts",
    ),
    Defence(
        "a server with an address has no unix peer",
        "web/client_address.py",
        "self._trusts_own_machine and by_socket and",
        "self._trusts_own_machine and",
        "web/test_client_address.py::test_a_server_at_a_unix_socket_trusts_its_own_machine_as_at_loopback",
    ),
    Defence(
        "an older hash gets the rest of today's work",
        "crypto/equal_work.py",
        "        self._do(self._most - done, password)\n",
        "",
        "crypto/test_equal_work.py::test_a_mismatch_of_an_older_hash_does_the_rest_of_todays_work",
    ),
    Defence(
        "a hash of another format costs a hash",
        "crypto/equal_work.py",
        "hashed, done = self._decoy, self._today",
        "return False",
        "crypto/test_equal_work.py::test_a_hash_of_another_format_does_all_of_todays_work",
    ),
    Defence(
        "a password that could not be verified is not wrong",
        "crypto/equal_work.py",
        "if str(error) in NO_RESOURCES:",
        "if str(error) in ():",
        "crypto/test_equal_work.py::test_a_password_that_could_not_be_verified_is_not_wrong",
    ),
    Defence(
        "a device cookie is for the account that logged in",
        "accounts/known_clients.py",
        'f"{account}\\0{nonce}\\0{day}"',
        'f"{nonce}\\0{day}"',
        "accounts/test_known_clients.py::test_a_login_by_cookie_makes_the_device_known_and_not_its_network",
    ),
    Defence(
        "a device cookie has a MAC",
        "accounts/known_clients.py",
        "genuine = any(hmac.compare_digest(self._mac(key, account, nonce, day), mac) for key in keys)",
        "genuine = bool(keys and mac and account)",
        "accounts/test_known_clients.py::test_a_forged_or_broken_device_cookie_is_a_strangers",
    ),
    Defence(
        "a known network is known for one account",
        "accounts/known_clients.py",
        'self._counter_key("known network", account, network_of(client.address))',
        'self._counter_key("known network", network_of(client.address))',
        "accounts/test_known_clients.py::test_a_network_is_known_after_a_login_for_this_account_alone",
    ),
    Defence(
        "the device cookie is in no text of a client",
        "model/records.py",
        'for name in self.__struct_fields__ if name != "device"]',
        "for name in self.__struct_fields__]",
        "accounts/test_known_clients.py::test_the_device_is_in_no_text_of_a_client",
    ),
]
