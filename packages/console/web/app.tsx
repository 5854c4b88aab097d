import { Link, Route, Router, Switch } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { ConfigurationView } from "./configuration/configuration-view.tsx";
import { ExtensionsView } from "./extensions/extensions-view.tsx";
import { OverviewView } from "./overview/overview-view.tsx";
import { useSettings, useText } from "./parts/settings.tsx";
import { ViewSettings } from "./parts/view-settings.tsx";
import type { TextKey } from "./text/en.ts";

const VIEWS: readonly { readonly path: string; readonly title: TextKey }[] = [
  { path: "/", title: "overview" },
  { path: "/extensions", title: "extensions" },
  { path: "/configuration", title: "configuration" },
];

export function App() {
  const text = useText();
  const { language } = useSettings();
  const [location] = useHashLocation();
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  return (
    <Router hook={useHashLocation}>
      <button type="button" className="skip" onClick={() => document.getElementById("content")?.focus()}>
        {text("skip")}
      </button>
      <header className="bar">
        <span className="brand">Mixerless</span>
        <nav aria-label={text("views")}>
          {VIEWS.map(({ path, title }) => (
            <Link key={path} href={path} aria-current={location === path ? "page" : undefined}>
              {text(title)}
            </Link>
          ))}
        </nav>
        <ViewSettings />
      </header>
      <main id="content" tabIndex={-1}>
        <Switch>
          <Route path="/extensions" component={ExtensionsView} />
          <Route path="/configuration" component={ConfigurationView} />
          <Route component={OverviewView} />
        </Switch>
      </main>
    </Router>
  );
}
