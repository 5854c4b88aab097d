import type { Outcome } from "./book-client.ts";
import { isRecord } from "./client.ts";
import { Html, html, type Part } from "./html.ts";
import type { Product } from "./product.ts";

/** What the product page shows. */
export interface ProductView {
  product: Product;
  /** Who is signed in. */
  user: string | undefined;
  /** Open the sign-in form, with the name that the sample's routing rules wait for. */
  suggestTestUser: boolean;
  details: Outcome;
  reviews: Outcome;
}

/** The front page: what the application is made of, and the way in. */
export function renderHome(): Html {
  return layout(
    "Bookinfo",
    undefined,
    html`
    <section class="hero">
      <h1>A bookshop with one book</h1>
      <p>Four small services put one page together. Their calls give a service mesh something to measure, route and break.</p>
      <p class="actions">
        <a class="button" href="/productpage?u=normal">See the book as anybody</a>
        <a class="button quiet" href="/productpage?u=test">See it as a test user</a>
      </p>
    </section>
    <section class="card" aria-labelledby="tree">
      <h2 id="tree">Who calls whom</h2>
      <ul class="tree">
        <li><b>productpage</b> <span>puts the page together</span>
          <ul>
            <li><b>details</b> <span>knows the facts</span></li>
            <li><b>reviews</b> <span>knows two opinions, in three versions</span>
              <ul><li><b>ratings</b> <span>knows the stars; asked by reviews v2 (black) and v3 (red)</span></li></ul>
            </li>
          </ul>
        </li>
      </ul>
    </section>`,
  );
}

/** The page of one book. Whatever failed says so in its own place; the rest of the page is there. */
export function renderProduct({ product, user, suggestTestUser, details, reviews }: ProductView): Html {
  return layout(
    `${product.title} · Bookinfo`,
    renderSignIn(user, suggestTestUser),
    html`
    <section class="hero">
      <h1>${product.title}</h1>
      <p>${new Html(product.descriptionHtml)}</p>
    </section>
    <div class="columns">
      <section class="card" aria-labelledby="facts">
        <h2 id="facts">The book</h2>
        ${renderDetails(details)}
      </section>
      <section class="card" aria-labelledby="opinions">
        <h2 id="opinions">What readers say</h2>
        ${renderReviews(reviews)}
      </section>
    </div>`,
  );
}

const rows = { "ISBN-10": "ISBN-10", publisher: "Publisher", pages: "Pages", type: "Type", language: "Language" };

function renderDetails({ status, body }: Outcome): Html {
  if (status !== 200 || !isRecord(body)) return renderError(status, body);
  const lines = Object.entries(rows).map(
    ([field, label]) => html`<div><dt>${label}</dt><dd>${textOf(body[field])}</dd></div>`,
  );
  return html`<dl>${lines}</dl>`;
}

function renderReviews({ status, body }: Outcome): Html {
  if (status !== 200 || !isRecord(body) || !Array.isArray(body.reviews)) return renderError(status, body);
  const cluster = textOf(body.clustername);
  const place = cluster && cluster !== "null" ? html` in <code>${cluster}</code>` : undefined;
  return html`${body.reviews.filter(isRecord).map(renderReview)}
        <p class="served">served by <code>${textOf(body.podname)}</code>${place}</p>`;
}

function renderReview({ text, reviewer, rating }: Record<string, unknown>): Html {
  return html`<figure>
          <blockquote>${textOf(text)}</blockquote>
          <figcaption>${textOf(reviewer)}${isRecord(rating) ? renderRating(rating) : undefined}</figcaption>
        </figure>
        `;
}

function renderRating({ stars, color, error }: Record<string, unknown>): Html {
  if (typeof stars !== "number") return html` <span class="error" role="alert">${textOf(error)}</span>`;
  const full = Math.min(5, Math.max(0, Math.round(stars)));
  const paint = typeof color === "string" && /^[a-z]{1,20}$/i.test(color) ? color : "black";
  const images = [1, 2, 3, 4, 5].map(
    (place) =>
      html`<svg viewBox="0 0 20 20" fill="${place <= full ? paint : "#d5d2cb"}" aria-hidden="true"><path d="${star}"/></svg>`,
  );
  return html` <span class="stars" role="img" aria-label="${full} of 5 stars, ${paint}">${images}</span>`;
}

const star = "M10 1.2l2.7 5.6 6.1.9-4.4 4.3 1 6.1-5.4-2.9-5.4 2.9 1-6.1-4.4-4.3 6.1-.9z";

function renderError(status: number, body: unknown): Html {
  const sentence = isRecord(body) && body.error ? textOf(body.error) : "The answer of this service made no sense.";
  return html`<p class="error" role="alert">${sentence} <span class="status">HTTP ${status}</span></p>`;
}

function renderSignIn(user: string | undefined, suggestTestUser: boolean): Html {
  if (user !== undefined) return html`<p class="user">Hello, <b>${user}</b> <a href="/logout">Sign out</a></p>`;
  const [open, name] = suggestTestUser ? [" open", "jason"] : ["", ""];
  return html`<details class="user"${open}>
      <summary>Sign in</summary>
      <form method="post" action="/login">
        <label>Name <input name="username" value="${name}" autocomplete="username" maxlength="64" required></label>
        <label>Password <input name="passwd" type="password" autocomplete="off"></label>
        <p>Any password will do.</p>
        <button>Sign in</button>
      </form>
    </details>`;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function layout(title: string, corner: Part, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="stylesheet" href="/static/bookinfo.css">
  <link rel="icon" href="/static/bookinfo.svg" type="image/svg+xml">
</head>
<body>
  <header>
    <a class="brand" href="/productpage"><img src="/static/bookinfo.svg" alt="" width="28" height="28">Bookinfo</a>
    ${corner}
  </header>
  <main>${content}
  </main>
</body>
</html>
`;
}
