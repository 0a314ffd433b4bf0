package testkit

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Detour says where the server of an address listens (network and address for net.Dial), and the
// address that leads to the same database through another host and port, such as a proxy that a test cuts.
func Detour(t testing.TB, dsn string, through net.Addr) (network, address, detour string) {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address = "tcp", net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
	if path.IsAbs(c.Host) { // a socket in a folder
		network, address = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", c.Host, c.Port)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: through.String(), Path: c.Database, RawQuery: "sslmode=disable"}
	return network, address, u.String()
}
