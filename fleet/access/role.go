// Package access says who may do what: tokens, their roles, and the one file
// that keeps them.
//
// A token is a secret text, shown once when it is made. The file holds only its
// SHA-256: since a secret has 256 random bits, nobody can find it by trying, and
// a slow hash would only slow the server down. A role is a fixed set of actions;
// a token may be bound to one fleet, and that of a vehicle is bound to one
// vehicle.
package access

import (
	"errors"
	"fmt"
	"time"
)

// Role is what a token is for.
type Role string

// The roles. There are no others.
const (
	// Viewer sees everything and changes nothing.
	Viewer Role = "viewer"
	// Dispatcher orders work as well.
	Dispatcher Role = "dispatcher"
	// Admin also changes what the fleet consists of.
	Admin Role = "admin"
	// Vehicle links up as one vehicle.
	Vehicle Role = "vehicle"
	// Simulator links up as any vehicle of one fleet.
	Simulator Role = "simulator"
)

// Action is a kind of thing that a request does.
type Action int

// The actions.
const (
	// ViewAll reads tasks, vehicles, zones, alerts and events.
	ViewAll Action = iota + 1
	// Dispatch orders and cancels tasks, sends commands and draws zones.
	Dispatch
	// Administer registers vehicles and changes settings.
	Administer
	// Link speaks as a vehicle.
	Link
)

// Can reports whether a role may do an action. An unknown role may do nothing.
func Can(role Role, action Action) bool {
	switch role {
	case Viewer:
		return action == ViewAll
	case Dispatcher:
		return action == ViewAll || action == Dispatch
	case Admin:
		return action == ViewAll || action == Dispatch || action == Administer
	case Vehicle, Simulator:
		return action == Link
	default:
		return false
	}
}

// Roles are all roles, in the order of their power over a fleet.
func Roles() []Role { return []Role{Viewer, Dispatcher, Admin, Vehicle, Simulator} }

// Token is what a secret stands for.
type Token struct {
	// Name identifies the token among all of the file: 1 to 64 lower-case
	// letters, digits, dots, hyphens and underscores, not beginning with a mark.
	Name string
	Role Role
	// Fleet binds the token to one fleet; empty means all of them, which a
	// vehicle's or simulator's token cannot have.
	Fleet string
	// Vehicle is the id that a vehicle's token is bound to; empty for others.
	Vehicle string
	// Created is in UTC, to the second.
	Created time.Time

	hash hash
}

// Reaches reports whether the token is good for a fleet.
func (t Token) Reaches(fleet string) bool { return t.Fleet == "" || t.Fleet == fleet }

// MayLink reports whether the token may speak as a vehicle of its fleet.
func (t Token) MayLink(vehicle string) bool {
	return Can(t.Role, Link) && vehicle != "" && (t.Role == Simulator || t.Vehicle == vehicle)
}

// The limits of a token; more is refused.
const (
	// MaxNameBytes limits a token's name.
	MaxNameBytes = 64
	// MaxIDBytes limits the ids of fleets and vehicles.
	MaxIDBytes = 64
)

// Validate reports the first rule that a token breaks.
func (t Token) Validate() error {
	if !validName(t.Name) {
		return fmt.Errorf("token name %q is not 1 to 64 lower-case letters, digits, dots, hyphens and underscores", t.Name)
	}
	err := t.checkBinding()
	if err != nil {
		return fmt.Errorf("token %s: %w", t.Name, err)
	}
	return nil
}

// ValidID tells whether a text can be the id of a fleet or vehicle: 1 to
// MaxIDBytes ASCII letters, digits and . _ : -, not beginning with a mark.
func ValidID(id string) bool {
	for i, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '_' && c != ':' && c != '-') {
			return false
		}
	}
	return id != "" && len(id) <= MaxIDBytes
}

func validName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		mark := c == '.' || c == '-' || c == '_'
		if !letter && (!mark || i == 0) {
			return false
		}
	}
	return name != "" && len(name) <= MaxNameBytes
}

func (t Token) checkBinding() error {
	for _, id := range []string{t.Fleet, t.Vehicle} {
		if id != "" && !ValidID(id) {
			return fmt.Errorf("%q is no id of a fleet or vehicle: 1 to %d of A-Z a-z 0-9 . _ : -, beginning with a letter or digit", id, MaxIDBytes)
		}
	}
	switch t.Role {
	case Viewer, Dispatcher, Admin:
		if t.Vehicle != "" {
			return fmt.Errorf("role %s is not bound to a vehicle", t.Role)
		}
	case Vehicle:
		if t.Fleet == "" || t.Vehicle == "" {
			return errors.New("role vehicle needs a fleet and a vehicle")
		}
	case Simulator:
		if t.Fleet == "" {
			return errors.New("role simulator needs a fleet")
		}
		if t.Vehicle != "" {
			return errors.New("role simulator stands for any vehicle and is not bound to one")
		}
	default:
		return fmt.Errorf("there is no role %q; roles are viewer, dispatcher, admin, vehicle and simulator", t.Role)
	}
	return nil
}
