package s3

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates are the files of a certificate authority that exists for this one server, and the server's own pair.
// The authority's key is not kept: nobody can sign anything else with it.
type certificates struct{ caFile, certFile, keyFile string }

const (
	certificateLife = 365 * 24 * time.Hour
	certificateSlop = 24 * time.Hour // renewed this long before its end, valid this long before now (clocks differ)
)

// ensureCertificates makes the files under dir, or keeps those that are there while they fit and last.
func ensureCertificates(ctx context.Context, dir string, now time.Time) (certificates, error) {
	c := certificates{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return c, err
	}
	unlock, err := lockFile(ctx, filepath.Join(dir, ".lock")) // two starts at once would mix their files
	if err != nil {
		return c, err
	}
	defer unlock()
	if c.usable(now) {
		return c, nil
	}
	ca, leaf, key, err := generate(now)
	if err != nil {
		return c, err
	}
	for _, f := range []struct {
		path, kind string
		der        []byte
		mode       os.FileMode
	}{{c.keyFile, "PRIVATE KEY", key, 0o600}, {c.certFile, "CERTIFICATE", leaf, 0o644}, {c.caFile, "CERTIFICATE", ca, 0o644}} {
		if err := writePEM(f.path, f.kind, f.der, f.mode); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c certificates) usable(now time.Time) bool {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return false
	}
	ca, err := os.ReadFile(c.caFile)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		return false
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1", CurrentTime: now.Add(certificateSlop)})
	return err == nil
}

func generate(now time.Time) (caDER, leafDER, keyDER []byte, err error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	from, until := now.Add(-certificateSlop), now.Add(certificateLife)
	ca := &x509.Certificate{
		Subject: pkix.Name{CommonName: "local S3 authority"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "local S3"}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if caDER, err = x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey); err != nil {
		return nil, nil, nil, err
	}
	if leafDER, err = x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey); err != nil {
		return nil, nil, nil, err
	}
	keyDER, err = x509.MarshalPKCS8PrivateKey(key)
	return caDER, leafDER, keyDER, err
}

// writePEM replaces the file in one step, so that nobody reads half of it. The directory is locked.
func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
