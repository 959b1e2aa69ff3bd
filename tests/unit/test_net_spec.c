/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_net_spec.c - the `net` property: what is taken, what is refused and with which word; derived names.
 */
#include "base/cleanup.h"
#include "kernel/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct net_spec parsed(const char *text)
{
        struct net_spec spec;
        struct croft_error err = CROFT_ERROR_INIT;

        memset(&spec, 0x55, sizeof(spec));
        if (net_spec_parse(text, &spec, &err) < 0)
                fail_msg("%s: %s", text, croft_error_cause(&err, 0));
        return spec;
}

static void none_is_the_loopback_only(void **state)
{
        struct net_spec spec = parsed("none");

        (void)state;
        assert_int_equal(spec.kind, NET_NONE);
        assert_string_equal(spec.link, "");
}

static void a_bridge_alone_means_dhcp_on_eth0(void **state)
{
        struct net_spec spec = parsed("bridge=br0");
        static const uint8_t none[6];

        (void)state;
        assert_int_equal(spec.kind, NET_BRIDGE);
        assert_string_equal(spec.link, "br0");
        assert_string_equal(spec.name, "eth0");
        assert_string_equal(spec.address[0], "");
        assert_memory_equal(spec.mac, none, 6);
        assert_int_equal(spec.mtu, 0);
}

static void all_words_of_a_bridge_are_taken(void **state)
{
        struct net_spec spec =
                parsed("mtu=9000,bridge=croft0,address=10.1.0.5/24,address=2001:db8::5/64,gateway=fe80::1,"
                       "gateway=10.1.0.1,name=lan.7,mac=02:00:5E:10:00:01,bridge-address=10.1.0.1/24");
        static const uint8_t mac[6] = {2, 0, 0x5e, 0x10, 0, 1};

        (void)state;
        assert_string_equal(spec.link, "croft0");
        assert_string_equal(spec.name, "lan.7");
        assert_string_equal(spec.address[0], "10.1.0.5/24");
        assert_string_equal(spec.address[1], "2001:db8::5/64");
        assert_string_equal(spec.address[2], "");
        assert_string_equal(spec.gateway[0], "fe80::1");
        assert_string_equal(spec.gateway[1], "10.1.0.1");
        assert_string_equal(spec.bridge_address, "10.1.0.1/24");
        assert_memory_equal(spec.mac, mac, 6);
        assert_int_equal(spec.mtu, 9000);
}

static void an_interface_is_moved_with_its_addresses(void **state)
{
        struct net_spec spec = parsed("interface=eth1,name=wan,address=192.0.2.7/32,gateway=192.0.2.1");

        (void)state;
        assert_int_equal(spec.kind, NET_INTERFACE);
        assert_string_equal(spec.link, "eth1");
        assert_string_equal(spec.name, "wan");
}

static void eight_addresses_are_taken_and_no_ninth(void **state)
{
        char text[512] = "bridge=b";
        struct net_spec spec;

        (void)state;
        for (int i = 0; i < 8; i++)
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",address=10.0.0.%d/8", i + 1);
        assert_string_equal(parsed(text).address[7], "10.0.0.8/8");
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",address=10.0.0.9/8");
        assert_int_equal(net_spec_parse(text, &spec, NULL), -EINVAL);
}

/* Each names the word at fault. */
static const char *const bad[][2] = {
        {"", "''"},
        {"bridge", "'bridge'"},
        {"none,bridge=b", "'none'"},
        {"bridge=b,", "''"},
        {",bridge=b", "''"},
        {"veth=b", "'veth'"},
        {"bridge=", "''"},
        {"bridge=b,bridge=c", "once"},
        {"bridge=b,interface=e", "once"},
        {"bridge=sixteen-bytes-xx", "'sixteen-bytes-xx'"},
        {"bridge=a/b", "'a/b'"},
        {"bridge=a b", "'a b'"},
        {"bridge=a:1", "'a:1'"},
        {"bridge=br%d", "'br%d'"},
        {"bridge=..", "'..'"},
        {"bridge=-x", "'-x'"},
        {"bridge=b\xc3\xbc", "name of an interface"},
        {"interface=lo", "'lo'"},
        {"bridge=b,name=all", "'all'"},
        {"bridge=b,name=a,name=b", "twice"},
        {"address=10.0.0.1/8", "missing"},
        {"bridge=b,address=10.0.0.1", "'10.0.0.1'"},
        {"bridge=b,address=10.0.0.1/33", "'10.0.0.1/33'"},
        {"bridge=b,address=10.0.0.1/0", "'10.0.0.1/0'"},
        {"bridge=b,address=10.0.0.256/8", "'10.0.0.256/8'"},
        {"bridge=b,address=10.0.0.1/8/8", "'10.0.0.1/8/8'"},
        {"bridge=b,address=::1/129", "'::1/129'"},
        {"bridge=b,address=host.example/24", "'host.example/24'"},
        {"bridge=b,address=10.0.0.1/8,address=10.0.0.1/8", "twice"},
        {"bridge=b,gateway=10.0.0.1", "needs an address"},
        {"bridge=b,address=10.0.0.2/8,gateway=10.0.0.1/8", "'10.0.0.1/8'"},
        {"bridge=b,address=10.0.0.2/8,gateway=10.0.0.1,gateway=10.0.0.3", "'10.0.0.3'"},
        {"bridge=b,address=10.0.0.2/8,gateway=10.0.0.1,gateway=fe80::1,gateway=fe80::2", "'fe80::2'"},
        {"bridge=b,mac=01:00:5e:00:00:01", "'01:00:5e:00:00:01'"},
        {"bridge=b,mac=00:00:00:00:00:00", "'00:00:00:00:00:00'"},
        {"bridge=b,mac=02:00:5e:00:00", "'02:00:5e:00:00'"},
        {"bridge=b,mac=02-00-5e-00-00-01", "'02-00-5e-00-00-01'"},
        {"bridge=b,mac=2:0:5e:0:0:01:0:0:", "no hardware address"},
        {"bridge=b,mtu=67", "'67'"},
        {"bridge=b,mtu=65536", "'65536'"},
        {"bridge=b,mtu=1500b", "'1500b'"},
        {"bridge=b,mtu=1279,address=2001:db8::1/64", "1280"},
        {"bridge=b,bridge-address=10.0.0.1", "'10.0.0.1'"},
        {"bridge=b,bridge-address=10.0.0.1/8,bridge-address=10.0.0.2/8", "'10.0.0.2/8'"},
        {"interface=e,mtu=1500", "moved interface"},
        {"interface=e,mac=02:00:5e:10:00:01", "moved interface"},
        {"interface=e,bridge-address=10.0.0.1/8", "moved interface"},
};

static void wrong_words_are_refused_by_name(void **state)
{
        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                struct croft_error err = CROFT_ERROR_INIT;
                struct net_spec spec = {.mtu = 77};

                assert_int_equal(net_spec_parse(bad[i][0], &spec, &err), -EINVAL);
                assert_int_equal(spec.mtu, 77);
                if (!strstr(croft_error_cause(&err, 0), bad[i][1]))
                        fail_msg("'%s': '%s' doesn't name %s", bad[i][0], croft_error_cause(&err, 0), bad[i][1]);
        }
}

static void a_word_of_any_length_is_refused(void **state)
{
        static char text[70000] = "bridge=b,address=";
        struct net_spec spec;

        (void)state;
        memset(text + strlen(text), '1', sizeof(text) - strlen(text) - 1);
        assert_int_equal(net_spec_parse(text, &spec, NULL), -EINVAL);
}

static void names_of_the_hosts_side_differ_and_fit(void **state)
{
        char name[16];

        (void)state;
        net_host_name("0a1b2c3d", 1, name);
        assert_string_equal(name, "cr1-0a1b2c3d");
        net_host_name("0a1b2c3d", 35, name);
        assert_string_equal(name, "crz-0a1b2c3d");
        net_host_name("0a1b2c3d", 36, name);
        assert_string_equal(name, "cr10-0a1b2c3d");
        net_host_name("0a1b2c3d", UINT64_MAX, name);
        assert_string_equal(name, "cr3w5e11264sgsf");
}

static void derived_addresses_are_stable_local_and_differ(void **state)
{
        uint8_t a[6], b[6];

        (void)state;
        net_derived_mac("0a1b2c3d", 1, a);
        net_derived_mac("0a1b2c3d", 1, b);
        assert_memory_equal(a, b, 6);
        for (uint64_t id = 2; id < 2000; id++) {
                net_derived_mac("0a1b2c3d", id, b);
                assert_int_equal(b[0] & 3, 2);
                assert_memory_not_equal(a, b, 6);
                memcpy(a, b, 6);
        }
        net_derived_mac("0a1b2c3e", 1999, b);
        assert_memory_not_equal(a, b, 6);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(none_is_the_loopback_only),
                cmocka_unit_test(a_bridge_alone_means_dhcp_on_eth0),
                cmocka_unit_test(all_words_of_a_bridge_are_taken),
                cmocka_unit_test(an_interface_is_moved_with_its_addresses),
                cmocka_unit_test(eight_addresses_are_taken_and_no_ninth),
                cmocka_unit_test(wrong_words_are_refused_by_name),
                cmocka_unit_test(a_word_of_any_length_is_refused),
                cmocka_unit_test(names_of_the_hosts_side_differ_and_fit),
                cmocka_unit_test(derived_addresses_are_stable_local_and_differ),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
