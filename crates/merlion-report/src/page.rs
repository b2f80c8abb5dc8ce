//! The page that every report is printed on: one file, which fetches nothing. It knows neither forecasts nor charts.

use crate::escape::Escaped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page: a heading, then sections.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    title: String,
    created: String,
    body: String,
}

/// A number that a page begins with.
#[derive(Debug, Clone)]
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    /// What to know about it, in a few words.
    pub(crate) note: String,
    /// Whether it should catch the eye.
    pub(crate) is_warning: bool,
}

impl Page {
    pub(crate) fn new(title: &str, created: &str) -> Self {
        Self { title: title.to_owned(), created: created.to_owned(), body: String::new() }
    }

    /// Adds HTML below what is there.
    pub(crate) fn add(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// Adds a section with a heading; `id` is where links to it go.
    pub(crate) fn add_section(&mut self, id: &str, heading: &str, html: &str) {
        self.body.push_str(&format!("<section id=\"{id}\">\n<h2>{}</h2>\n{html}</section>\n", Escaped(heading)));
    }

    /// Adds a row of numbers.
    pub(crate) fn add_tiles(&mut self, tiles: &[Tile]) {
        self.body.push_str("<dl class=\"tiles\">\n");
        for tile in tiles {
            let class = if tile.is_warning { " class=\"warning\"" } else { "" };
            self.body.push_str(&format!(
                "<div{class}><dt>{}</dt><dd>{}</dd><dd class=\"note\">{}</dd></div>\n",
                Escaped(tile.label),
                Escaped(&tile.value),
                Escaped(&tile.note)
            ));
        }
        self.body.push_str("</dl>\n");
    }

    /// The whole file.
    pub(crate) fn to_html(&self) -> String {
        let created = match self.created.as_str() {
            "" => String::new(),
            created => format!("<p class=\"created\">{}</p>\n", Escaped(created)),
        };
        // The policy keeps the promise that the page fetches nothing, whatever a table may have smuggled into it.
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>{title}</h1>\n{created}</header>\n<main>\n{body}</main>\n\
             <footer>Times are in UTC. This page is complete in itself: it loads nothing.</footer>\n\
             <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            title = Escaped(&self.title),
            body = self.body,
        )
    }
}

/// A table: headings, then rows of cells that are HTML already. Columns from `numbers_from` on hold numbers.
pub(crate) fn table(class: &str, headings: &[String], rows: &[Vec<String>], numbers_from: usize) -> String {
    let align = |column: usize| if column >= numbers_from { " class=\"number\"" } else { "" };
    let mut html = format!("<table class=\"{class}\">\n<thead><tr>");
    for (column, heading) in headings.iter().enumerate() {
        html.push_str(&match heading.as_str() {
            "" => "<td></td>".to_owned(),
            heading => format!("<th scope=\"col\"{}>{}</th>", align(column), Escaped(heading)),
        });
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let (tag, scope) = if column == 0 { ("th", " scope=\"row\"") } else { ("td", "") };
            html.push_str(&format!("<{tag}{scope}{}>{cell}</{tag}>", align(column)));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_refers_to_nothing_outside() {
        let html = Page::new("t", "").to_html();
        for reference in ["http://", "https://", "src=", "url(", "@import", "//"] {
            let found = html.replace("// ", "").contains(reference);
            assert!(!found, "'{reference}' in\n{html}");
        }
        assert_eq!(html.matches("href=").count(), html.matches("href=\"data:,\"").count());
    }

    #[test]
    fn a_title_cannot_end_the_head() {
        let html = Page::new("</title><script>x</script>", "<b>").to_html();
        assert_eq!(html.matches("<script>").count(), 1, "{html}");
        assert_eq!(html.matches("</title>").count(), 1, "{html}");
        assert!(html.contains("<p class=\"created\">&lt;b&gt;</p>"), "{html}");
    }

    #[test]
    fn the_style_and_the_script_cannot_end_early() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }

    #[test]
    fn the_first_cell_of_a_row_is_its_heading() {
        let html = table("x", &["a".into(), "b<".into()], &[vec!["1".into(), "2".into()]], 1);
        assert!(html.contains("<th scope=\"col\" class=\"number\">b&lt;</th>"), "{html}");
        assert!(html.contains("<tr><th scope=\"row\">1</th><td class=\"number\">2</td></tr>"), "{html}");
    }
}
