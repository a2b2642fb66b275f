package source

import (
	"testing"
)

func TestGuardURL(t *testing.T) {
	t.Parallel()
	hosts := append([]string{"x.s3.us-east-1.amazonaws.com", "*.example.org"}, DefaultHosts...)
	strict, loose := guard{hosts: hosts}, guard{hosts: hosts, loopback: true}
	for in, want := range map[string][2]bool{
		"https://cdn.cloud.scenario.com/a": {true, true}, "https://cdn.scenario.com/a?b": {true, true}, "https://d1.cloudfront.net/a?b": {},
		"https://x.s3.us-east-1.amazonaws.com:443/": {true, true}, "https://y.s3.us-east-1.amazonaws.com/": {},
		"https://s3.us-east-1.amazonaws.com/x/a": {}, "https://a.b.example.org/": {true, true}, "https://example.org/": {}, "https://CDN.Scenario.COM./": {true, true},
		"http://cdn.cloud.scenario.com/a": {false, false}, "https://cloudfront.net/": {false, false}, "https://evilscenario.com/": {false, false},
		"https://scenario.com.evil.org/": {false, false}, "https://scenario.com:8443/": {false, false}, "https://user:pw@scenario.com/": {false, false},
		"ftp://scenario.com/": {false, false}, "https://": {false, false}, "https://169.254.169.254/": {false, false}, "file:///etc/passwd": {false, false},
		"http://127.0.0.1:9090/": {false, true}, "http://localhost:1/": {false, true}, "http://[::1]:1/": {false, true},
		"http://[::ffff:127.0.0.1]/": {false, true}, "https://127.0.0.1/": {false, true}, "http://10.0.0.1/": {false, false},
		"http://u@localhost/": {false, false}, "https://2130706433/": {}, "https://0177.0.0.1/": {}, "https://0x7f.1/": {},
		"http://2130706433/": {}, "https://[::ffff:a9fe:a9fe]/": {}, "https://[64:ff9b::a9fe:a9fe]/": {}, "https://0.0.0.0/": {},
		"https://cdn.scenario.com@10.0.0.1/": {}, "https://cdn.scenario.com%2eevil.org/": {}, "https://cdn.scenario.com\u3002evil.org/": {},
		"https://\uff43dn.scenario.com/": {}, "https://cdn.scen\u0430rio.com/": {}, "https://xn--cdn-scenario.com/": {}, "https://evil.org/cdn.scenario.com": {},
		"https://.scenario.com/": {}, "https://cdn.scenario.com../": {},
	} {
		u, err := parseURL(nil, in)
		if err != nil && want[0] {
			t.Fatal(err)
		} else if err != nil {
			continue
		}
		for i, g := range []guard{strict, loose} {
			if err := g.checkURL(u); (err == nil) != want[i] {
				t.Errorf("%s, loopback %v: %v", in, g.loopback, err)
			}
		}
	}
}

func TestGuardAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]bool{
		"52.84.1.1:443": {true, true}, "[2600:9000::1]:443": {true, true},
		"127.0.0.1:80": {false, true}, "[::1]:80": {false, true}, "[::ffff:127.0.0.1]:80": {false, true}, "127.8.8.8:80": {false, true},
		"10.1.2.3:443": {}, "172.16.0.1:443": {}, "192.168.1.1:443": {}, "169.254.169.254:80": {}, "[fd00:ec2::254]:80": {},
		"[fe80::1%eth0]:80": {}, "100.64.0.1:443": {}, "0.0.0.0:80": {}, "[::]:80": {}, "224.0.0.1:80": {}, "[ff02::1]:80": {},
		"255.255.255.255:80": {}, "[::ffff:10.0.0.1]:80": {}, "[64:ff9b::a00:1]:80": {}, "[2002:a00:1::]:80": {}, "[fec0::1]:80": {},
		"198.18.0.1:80": {}, "192.0.2.1:80": {}, "[::7f00:1]:80": {}, "host:80": {}, "nonsense": {},
	} {
		for i, g := range []guard{{}, {loopback: true}} {
			if err := g.control(t.Context(), "tcp", address, nil); (err == nil) != want[i] {
				t.Errorf("%s, loopback %v: %v", address, g.loopback, err)
			}
		}
	}
}
