"""The ribbon: the Billing tab as customUI XML made from the button declarations, and putting it into a workbook."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol
from xml.sax.saxutils import quoteattr

# The namespace of Office 2007: the parts of the 2010 one are lost when openpyxl saves the workbook.
NAMESPACE: Final = "http://schemas.microsoft.com/office/2006/01/customui"
RELATIONSHIP: Final = "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility"
PART: Final = "customUI/customUI.xml"
LONGEST_TIP: Final = 1024
_FIXED_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Group:
    """A named box of buttons on the tab; buttons name it by its id."""

    id: str
    label: str


class RibbonButton(Protocol):
    """What the ribbon needs of a button declaration; `image` is one of Office's own pictures (imageMso)."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def keytip(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def supertip(self) -> str: ...
    @property
    def size(self) -> Literal["large", "normal"]: ...


@dataclass(frozen=True, slots=True)
class Button:
    """A plain button declaration."""

    id: str
    label: str
    group: str
    keytip: str
    image: str
    supertip: str = ""
    size: Literal["large", "normal"] = "large"


def callback(button_id: str) -> str:
    """The VBA sub a button calls: import_reads -> OnImportReads."""
    return "On" + "".join(word[:1].upper() + word[1:] for word in button_id.split("_"))


def ribbon_xml(
    tab_label: str, groups: Sequence[Group], buttons: Iterable[RibbonButton], tab_keytip: str = "Y1"
) -> bytes:
    """The customUI part: one tab, the `groups` in their order, each with its `buttons` in theirs; empty groups left out.

    Raises ValueError for ids or KeyTips used twice, KeyTips that begin alike, and groups that are not declared.
    """
    shown = list(buttons)
    _check(groups, shown)
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', f"<customUI xmlns={quoteattr(NAMESPACE)}>"]
    lines += ["<ribbon>", "<tabs>", _element("tab", id="tabBilling", label=tab_label, keytip=tab_keytip)]
    for group in groups:
        if own := [button for button in shown if button.group == group.id]:
            lines.append(_element("group", id=f"grp_{group.id}", label=group.label))
            lines += [_button(button) for button in own]
            lines.append("</group>")
    lines += ["</tab>", "</tabs>", "</ribbon>", "</customUI>", ""]
    return "\n".join(lines).encode()


def _button(button: RibbonButton) -> str:
    attributes = {
        "id": f"btn_{button.id}",
        "label": button.label,
        "size": button.size,
        "imageMso": button.image,
        "onAction": callback(button.id),
        "keytip": button.keytip,
        "screentip": button.label,
        "supertip": button.supertip,
    }
    return _element("button", **attributes)[:-1] + "/>"


def _element(name: str, **attributes: str) -> str:
    """An opening tag; attributes without a value are left out."""
    return f"<{name}" + "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value) + ">"


def _check(groups: Sequence[Group], buttons: Sequence[RibbonButton]) -> None:
    """Refuse declarations that Office would take in silence, or not take at all."""
    for kind, ids in (("group", [g.id for g in groups]), ("button", [b.id for b in buttons])):
        for one in ids:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", one) or ids.count(one) > 1:
                raise ValueError(f"{kind} id {one!r} is used twice or is not letters, digits and _")
    known = {group.id for group in groups}
    for button in buttons:
        if button.group not in known:
            raise ValueError(f"button {button.id}: no group {button.group!r} is declared")
        if not re.fullmatch(r"[A-Z0-9]{1,3}", button.keytip):
            raise ValueError(f"button {button.id}: a KeyTip is one to three capitals or digits, not {button.keytip!r}")
        if not button.label or not button.image or len(button.supertip) > LONGEST_TIP:
            raise ValueError(f"button {button.id}: a label, a picture and a tip of at most {LONGEST_TIP} characters")
        for other in buttons:
            if other is not button and other.keytip.startswith(button.keytip):
                raise ValueError(f"KeyTip {button.keytip} of {button.id} hides {other.keytip} of {other.id}")


def inject_ribbon(workbook: bytes | Path, xml: bytes) -> bytes:
    """The workbook with `xml` as its ribbon, replacing one it has; the same input always gives the same bytes."""
    source = workbook if isinstance(workbook, bytes) else workbook.read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename == PART:
                continue
            content = old.read(info)
            new.writestr(info, _related(content) if info.filename == "_rels/.rels" else content)
        part = zipfile.ZipInfo(PART, _FIXED_TIME)
        part.compress_type = zipfile.ZIP_DEFLATED
        new.writestr(part, xml)
    return out.getvalue()


def _related(relationships: bytes) -> bytes:
    """The package's relationships with the one to the ribbon; its content type is the package's default for .xml."""
    if RELATIONSHIP.encode() in relationships:
        return relationships
    added = f'<Relationship Id="rIdRibbon" Type="{RELATIONSHIP}" Target="{PART}"/></Relationships>'
    return relationships.replace(b"</Relationships>", added.encode())
