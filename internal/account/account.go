// Package account owns the people who sign in: shoppers, and those who work here with their roles
// (administrators, programme officers, producers, cashiers). Buying needs no account.
//
// Tables: account, account_role.
//
// An account is found by an e-mail or a phone number that was proven to be its owner's; see package shopper for
// how. Passwords are kept as argon2id hashes with their own salt. Signing in costs the same hashes and statements
// whether or not there is such an account; how often one may try is limited by the web layer. A new password
// begins a new epoch, in which no older session counts. Every change leaves an audit row without personal data.
//
// Whose records a right covers: administrators' are all; an officer's are those of a province with all its communes, or of
// one commune; a producer's people and cashiers are bound to ids. A domain asks for records of a place with
// Account.Area(right), takes the Area as a parameter and writes Area.In into the WHERE of every statement that reads,
// locks or counts them, so that what lies elsewhere is not found. For records bound by id Account.Covers does the same.
package account

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"choocop.vn/ocop/internal/platform/db"
)

// RoleName is what somebody is to the programme.
type RoleName string

// The roles.
const (
	Admin    RoleName = "admin"    // runs the platform
	Officer  RoleName = "officer"  // programme officer of a province or a commune
	Producer RoleName = "producer" // works for one producer (chủ thể)
	Cashier  RoleName = "cashier"  // sells at one sales point
)

// RoleNames lists all roles.
func RoleNames() []RoleName { return []RoleName{Admin, Officer, Producer, Cashier} }

// Key is the text key of the role's name.
func (r RoleName) Key() string { return "account.role." + string(r) }

// Scope says which kind of record a role is bound to.
type Scope string

// The scopes. Everywhere binds to nothing.
const (
	Everywhere Scope = ""
	OfProvince Scope = "province"
	OfCommune  Scope = "commune"
	OfProducer Scope = "producer"
	OfShowroom Scope = "showroom"
)

// Role is a role with the record it is bound to: the code of a province or commune, or the id of a producer or
// sales point.
type Role struct {
	Name    RoleName
	Scope   Scope
	ScopeID string
}

// RoleAt binds a role to the record with this id.
func RoleAt(name RoleName, scope Scope, id int64) Role {
	return Role{name, scope, strconv.FormatInt(id, 10)}
}

// scopes says to what each role may be bound; the first one is asked for when it is missing.
var scopes = map[RoleName][]Scope{
	Admin:    {Everywhere},
	Officer:  {OfProvince, OfCommune, Everywhere},
	Producer: {OfProducer},
	Cashier:  {OfShowroom},
}

// Account is a person who may sign in.
type Account struct {
	ID          int64
	Email       string // empty, or proven
	Name        string
	Phone       string // E.164 or empty
	PhoneProven bool
	Locale      string // vi or en
	Closed      bool
	Demo        bool
	// Epoch is the one in which a session must have begun to count.
	Epoch int
	Since time.Time
	Roles []Role
}

// Staff reports whether the account works here.
func (a Account) Staff() bool { return len(a.Roles) > 0 }

// ProvenPhone is the phone number by which the account may be found, or empty.
func (a Account) ProvenPhone() string {
	if !a.PhoneProven {
		return ""
	}
	return a.Phone
}

// Service holds the verbs of this package.
type Service struct {
	db *db.DB
	// slots bounds how many hashes are computed at once: each takes 64 MiB.
	slots chan struct{}
	// hashes counts the hashes computed, which cost more than all else that signing in does.
	hashes atomic.Int64
}

// Hashes is how many passwords were hashed or compared so far: two answers that cost the same hashes and statements
// cannot be told apart by their time.
func (s *Service) Hashes() int64 { return s.hashes.Load() }

// New returns the service.
func New(d *db.DB) *Service {
	return &Service{db: d, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
}
