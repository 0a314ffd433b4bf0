package api

import (
	"context"
	"time"

	"choocop.vn/ocop/internal/partner"
)

// Endpoint is an address of a partner that is told what happens.
type Endpoint struct {
	ID        string   `json:"id" doc:"@endpoint.id" example:"hook_7K4M92QX2345"`
	URL       string   `json:"url" example:"https://vidu.vn/ocop"`
	Kinds     []string `json:"kinds" doc:"@endpoint.kinds"`
	State     string   `json:"state" enum:"active,paused"`
	PausedWhy *string  `json:"paused_why" enum:"asked,failing,gone" doc:"@endpoint.paused_why"`
	Failures  int      `json:"failures" doc:"@endpoint.failures"`
	CreatedAt string   `json:"created_at" format:"date-time"`
	Secret    string   `json:"secret,omitempty" doc:"@endpoint.secret"`
}

// EndpointList are all of a partner.
type EndpointList struct {
	Items []Endpoint `json:"items"`
}

// Delivery is an event on its way to an endpoint.
type Delivery struct {
	EventID    string  `json:"event_id" doc:"@delivery.event_id"`
	Kind       string  `json:"kind" example:"order.paid"`
	Subject    string  `json:"subject" doc:"@delivery.subject"`
	State      string  `json:"state" enum:"waiting,done,failed" doc:"@delivery.state"`
	Attempts   int     `json:"attempts"`
	CreatedAt  string  `json:"created_at" format:"date-time"`
	NextAt     *string `json:"next_at" format:"date-time"`
	LastAt     *string `json:"last_at" format:"date-time"`
	LastStatus *int    `json:"last_status" doc:"@delivery.last_status"`
	LastAnswer string  `json:"last_answer" doc:"@delivery.last_answer"`
}

// DeliveryList is a page of the log of an endpoint.
type DeliveryList struct {
	Items      []Delivery `json:"items"`
	NextCursor *string    `json:"next_cursor" doc:"@next_cursor"`
}

// EndpointParam names an endpoint in an address.
type EndpointParam struct {
	ID string `path:"id" maxLength:"60" doc:"@endpoint.id" example:"hook_7K4M92QX2345"`
}

type endpointOut struct{ Body Endpoint }

type newEndpointOut struct {
	Location string `header:"Location" doc:"@location"`
	Body     Endpoint
}

type endpointsOut struct{ Body EndpointList }

func endpointOf(e partner.Endpoint) Endpoint {
	out := Endpoint{ID: e.Code, URL: e.URL, Kinds: e.Kinds, State: e.State, Failures: e.Failures, CreatedAt: moment(e.CreatedAt)}
	if e.PausedWhy != "" {
		out.PausedWhy = &e.PausedWhy
	}
	return out
}

func (a *API) listEndpoints(ctx context.Context, _ *struct{}) (*endpointsOut, error) {
	all, err := a.Partners.Endpoints(ctx, callerOf(ctx).partner.ID)
	if err != nil {
		return nil, err
	}
	out := &endpointsOut{EndpointList{make([]Endpoint, len(all))}}
	for i, e := range all {
		out.Body.Items[i] = endpointOf(e)
	}
	return out, nil
}

type addEndpointIn struct {
	Body struct {
		URL   string   `json:"url" maxLength:"500" example:"https://vidu.vn/ocop"`
		Kinds []string `json:"kinds,omitempty" maxItems:"20" doc:"@endpoint.kinds"`
	}
}

func (a *API) addEndpoint(ctx context.Context, in *addEndpointIn) (*newEndpointOut, error) {
	who := callerOf(ctx)
	e, secret, err := a.Partners.AddEndpoint(ctx, partner.EndpointRequest{PartnerID: who.partner.ID, URL: in.Body.URL, Kinds: in.Body.Kinds}, who.actor())
	if err != nil {
		return nil, err
	}
	out := &newEndpointOut{Location: Base + "/webhook-endpoints/" + e.Code, Body: endpointOf(e)}
	out.Body.Secret = secret
	return out, nil
}

func (a *API) getEndpoint(ctx context.Context, in *EndpointParam) (*endpointOut, error) {
	e, err := a.Partners.Endpoint(ctx, callerOf(ctx).partner.ID, in.ID)
	if err != nil {
		return nil, err
	}
	return &endpointOut{endpointOf(e)}, nil
}

func (a *API) removeEndpoint(ctx context.Context, in *EndpointParam) (*struct{}, error) {
	who := callerOf(ctx)
	return nil, a.Partners.RemoveEndpoint(ctx, who.partner.ID, in.ID, who.actor())
}

func (a *API) pauseEndpoint(ctx context.Context, in *EndpointParam) (*endpointOut, error) {
	who := callerOf(ctx)
	if err := a.Partners.Pause(ctx, who.partner.ID, in.ID, who.actor()); err != nil {
		return nil, err
	}
	return a.getEndpoint(ctx, in)
}

func (a *API) resumeEndpoint(ctx context.Context, in *EndpointParam) (*endpointOut, error) {
	who := callerOf(ctx)
	if err := a.Partners.Resume(ctx, who.partner.ID, in.ID, who.actor()); err != nil {
		return nil, err
	}
	return a.getEndpoint(ctx, in)
}

type deliveriesIn struct {
	EndpointParam
	State  string `query:"state" enum:"waiting,done,failed" doc:"@delivery.state"`
	Cursor string `query:"cursor" maxLength:"200" doc:"@cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"24" doc:"@delivery.limit"`
}

type deliveriesOut struct{ Body DeliveryList }

func (a *API) listDeliveries(ctx context.Context, in *deliveriesIn) (*deliveriesOut, error) {
	all, next, err := a.Partners.Deliveries(ctx, callerOf(ctx).partner.ID, in.ID, partner.DeliveryFilter{State: in.State, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &deliveriesOut{DeliveryList{Items: make([]Delivery, len(all))}}
	if next != "" {
		out.Body.NextCursor = &next
	}
	for i, d := range all {
		out.Body.Items[i] = Delivery{EventID: d.EventID, Kind: d.Kind, Subject: d.Subject, State: d.State, Attempts: d.Attempts, CreatedAt: moment(d.CreatedAt),
			NextAt: momentOrNull(d.NextAt), LastAt: momentOrNull(d.LastAt), LastStatus: d.LastStatus, LastAnswer: d.LastAnswer}
	}
	return out, nil
}

func momentOrNull(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := moment(*t)
	return &text
}

type redeliverIn struct {
	EndpointParam
	Event string `path:"event" maxLength:"60" doc:"@delivery.event_id"`
}

func (a *API) redeliver(ctx context.Context, in *redeliverIn) (*struct{}, error) {
	who := callerOf(ctx)
	return nil, a.Partners.Redeliver(ctx, who.partner.ID, in.ID, in.Event, who.actor())
}

type redeliverFailedIn struct {
	EndpointParam
	Body struct {
		Since time.Time `json:"since" format:"date-time" doc:"@redeliver.since"`
	}
}

// Redelivered is how many events are on their way again.
type Redelivered struct {
	Count int `json:"count"`
}

type redeliveredOut struct{ Body Redelivered }

func (a *API) redeliverFailed(ctx context.Context, in *redeliverFailedIn) (*redeliveredOut, error) {
	who := callerOf(ctx)
	n, err := a.Partners.RedeliverFailed(ctx, who.partner.ID, in.ID, in.Body.Since, who.actor())
	if err != nil {
		return nil, err
	}
	return &redeliveredOut{Redelivered{n}}, nil
}
