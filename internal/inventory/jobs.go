package inventory

// TidyReservations asks for [Service.Tidy], now and then.
type TidyReservations struct{}

// Kind names the job in the queue.
func (TidyReservations) Kind() string { return "inventory.tidy_reservations" }
