package account

import "slices"

// Right is one thing a route may ask for. Which records it covers is the role's scope; see Account.Covers.
type Right string

// The rights.
const (
	ManageAccounts  Right = "accounts.manage"
	ReadAudit       Right = "audit.read"
	ManageShowrooms Right = "showrooms.manage"
	ManageRules     Right = "rules.manage"
	VerifyStars     Right = "stars.verify"
	ReadReports     Right = "reports.read"
	EditProducer    Right = "producer.edit"
	EditGoods       Right = "goods.edit"
	PostStock       Right = "stock.post"
	FulfilOrders    Right = "orders.fulfil"
	ConfirmTransfer Right = "payments.confirm"
	SellAtCounter   Right = "counter.sell"
	UseDesk         Right = "desk.use" // the start page of the office
)

// rights is the whole of who may do what.
var rights = map[RoleName][]Right{
	Admin: {
		ManageAccounts, ReadAudit, ManageShowrooms, ManageRules, VerifyStars, ReadReports,
		EditProducer, EditGoods, PostStock, FulfilOrders, ConfirmTransfer, UseDesk,
	},
	Officer:  {VerifyStars, ReadReports, ManageShowrooms, UseDesk},
	Producer: {EditProducer, EditGoods, PostStock, FulfilOrders, ConfirmTransfer, UseDesk},
	Cashier:  {SellAtCounter},
}

// Can reports whether one of the account's roles holds the right, for whichever records.
func Can(a Account, r Right) bool {
	return !a.Closed && slices.ContainsFunc(a.Roles, func(role Role) bool { return slices.Contains(rights[role.Name], r) })
}

// Covers says for which records of one scope the account holds the right: everywhere, or for the ids listed.
// The ids go into the WHERE of a query, so that foreign records are not found.
func (a Account) Covers(r Right, s Scope) (ids []string, everywhere bool) {
	if a.Closed {
		return nil, false
	}
	for _, role := range a.Roles {
		switch {
		case !slices.Contains(rights[role.Name], r):
		case role.Scope == Everywhere:
			everywhere = true
		case role.Scope == s:
			ids = append(ids, role.ScopeID)
		}
	}
	return ids, everywhere
}
