/** Of this product. */
export const VERSION = "0.1.0";
/** What proxies say they are unless told otherwise, so that version-matched EnvoyFilters apply. */
export const ISTIO_VERSION = "1.30.3";
