export type { Clock } from "./clock.ts";
export { createDetails, type DetailsOptions } from "./details.ts";
export { type Endpoint, type Environment, endpointOf } from "./environment.ts";
export { createProductpage, type ProductpageOptions, productpageOptionsOf } from "./productpage.ts";
export { propagate, propagatedHeaders } from "./propagation.ts";
export { createRatings, type RatingsOptions } from "./ratings.ts";
export { createReviews, type ReviewsOptions } from "./reviews.ts";
