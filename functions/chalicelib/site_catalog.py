"""The catalog of a site that is no folder: read anew when the site says that its file is another one."""

from __future__ import annotations

from chalicelib.catalog import Catalog, CatalogTrouble, read
from chalicelib.ports import Site


class CatalogOfSite:
    """The catalog in `site`, parsed once per file. `name` is its path from the root."""

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self._name = name
        self._known: tuple[str, Catalog] | None = None

    def __call__(self) -> Catalog:
        """The catalog of the present publication. Raises CatalogTrouble."""
        found = self._site.file(self._name)
        if found is None:
            raise CatalogTrouble("there is no readable catalog: publish the site, or set SUPPORT_CATALOG")
        known = self._known
        if known is None or known[0] != found.mark:
            known = self._known = (found.mark, read(found.read()))
        return known[1]
