package storefront

import "context"

// Home returns the first page. It may be up to half a minute old, never older than today.
func (s *Service) Home(ctx context.Context) (Home, error) { return Home{}, nil }

// Product returns the page of a published product, else NotFound "storefront.not_found".
func (s *Service) Product(ctx context.Context, slug string, adult bool) (Product, error) {
	return Product{}, nil
}

// Producer returns the page of a producer; f filters its products.
func (s *Service) Producer(ctx context.Context, slug string, f Filter) (ProducerPage, error) {
	return ProducerPage{}, nil
}

// Province returns the page of a province; f filters its products.
func (s *Service) Province(ctx context.Context, slug string, f Filter) (ProvincePage, error) {
	return ProvincePage{}, nil
}

// Provinces counts the products of all 34 provinces, in Vietnamese alphabetical order.
func (s *Service) Provinces(ctx context.Context) ([]ProvinceFacet, error) { return nil, nil }

// Categories is the official grouping, depth first.
func (s *Service) Categories(ctx context.Context) ([]Category, error) { return nil, nil }

// Showrooms lists the open sales points, of one province (code or slug) or of all when it is empty.
func (s *Service) Showrooms(ctx context.Context, province string) ([]Showroom, error) {
	return nil, nil
}

// Showroom returns the page of an open sales point, else NotFound "storefront.not_found".
func (s *Service) Showroom(ctx context.Context, slug string) (ShowroomPage, error) {
	return ShowroomPage{}, nil
}

// Proof answers a certificate's code typed in any way; NotFound "storefront.proof_unknown" when there is none such.
func (s *Service) Proof(ctx context.Context, code string) (Proof, error) { return Proof{}, nil }

// SitemapChunk is the largest number of addresses that one sitemap file may hold.
const SitemapChunk = 50_000

// SitemapChunks is the number of sitemap files that the shop needs, at least one.
func (s *Service) SitemapChunks(ctx context.Context) (int, error) { return 1, nil }

// Sitemap returns the addresses of one file, counted from 1.
func (s *Service) Sitemap(ctx context.Context, chunk int) ([]Link, error) { return nil, nil }
