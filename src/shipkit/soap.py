"""SOAP for plugin authors: envelopes out, replies in; the driver sends.

A plugin ships a WSDL of its own that describes just the operations it uses. zeep reads it, builds the envelope and
reads the reply, and it does nothing else: it opens no connection, loads nothing from outside the plugin's package and
says nothing to anybody's log. It is imported on first use.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

import attrs

from .errors import InputError, PluginError, ReplyError
from .flow import Request, Response
from .model import Problem, ProblemCode

__all__ = ["SoapFault", "SoapService"]

_ENVELOPES: Final = {
    "http://schemas.xmlsoap.org/soap/envelope/": "1.1",
    "http://www.w3.org/2003/05/soap-envelope": "1.2",
}
_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_HEAD: Final = 4096
_LEAVES: Final = (str, bytes, int, type(None))
# What zeep, lxml and isodate raise on a body they did not expect; zeep's own classes are added where it is loaded.
_BAD_BODY: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)


class SoapFault(ReplyError):  # noqa: N818 - the word of the standard
    """The service answered with a Fault; what it proves only the carrier's own ``detail`` can tell.

    Uncaught it is an unreadable answer, so a purchase is in doubt. ``carrier_code`` is the fault code (often just
    ``soap:Server``), ``carrier_message`` the fault's words, ``detail`` its detail element: local names to text, to a
    mapping, or to a tuple where a name repeats.
    """

    def __init__(self, message: str = "", *, detail: Mapping[str, Any] | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.detail: Mapping[str, Any] = detail or {}


@attrs.define(eq=False)
class SoapService:
    """The service that the WSDL *wsdl* in the package data of *package* describes, reduced to *operations*.

    Stands at the top of a plugin's module: building one reads no file and imports nothing.
    """

    package: str
    wsdl: str
    operations: tuple[str, ...]
    _loaded: Mapping[str, Any] | None = attrs.field(default=None, init=False, repr=False)

    def request(
        self,
        operation: str,
        payload: Mapping[str, Any],
        *,
        url: str,
        name: str,
        replayable: bool = False,
        headers: Mapping[str, Any] | None = None,
    ) -> Request:
        """The envelope of *operation* with *payload* in its body, to *url*.

        *headers* are the blocks of the SOAP header that the WSDL names (credentials, mostly). Members that are None
        are left out where the WSDL allows it, and sent as ``xsi:nil`` where it says nillable.

        Raises:
            InputError: a text has a character that XML cannot carry.
            PluginError: the payload does not fit the WSDL, or the WSDL does not load.
        """
        described = self._operation(operation)
        try:
            message = described.create(**payload, **({"_soapheaders": dict(headers)} if headers else {}))
        except ValueError as error:
            raise InputError(problems=tuple(_not_xml(payload)) or (_not_xml_at("/"),)) from error
        except Exception as error:
            # zeep's text quotes the value, which may be a person's.
            raise PluginError(f"{operation}: the payload does not fit {self.wsdl} ({type(error).__name__})") from None
        content = _etree().tostring(message.content, encoding="utf-8", xml_declaration=True)
        return Request.xml(url, content, name=name, replayable=replayable, headers=message.headers)

    def fault(self, response: Response) -> SoapFault | None:
        """The Fault in *response*, whatever its status, or None; for ``check``, which sees every reply.

        A body that cannot be read has none: `read` says what is wrong with it.
        """
        # A fault stands first in the body; a label after it need not be searched.
        if response.status < 400 and b"Fault" not in response.content[:_HEAD]:
            return None
        try:
            return _fault(response, _body(response))
        except ReplyError:
            return None

    def read(self, operation: str, response: Response) -> dict[str, Any]:
        """What *operation* answered, as plain mappings and lists under the names of the WSDL.

        The single element in which services wrap a result is taken off; an empty result is an empty mapping.

        Raises:
            SoapFault: it answered with a Fault.
            ReplyError: it is not SOAP, not this operation's reply, or a value is not of its type; names the path.
        """
        described = self._operation(operation)
        body = _body(response)
        if (fault := _fault(response, body)) is not None:
            raise fault
        if response.status >= 300:
            raise _bad(response, f"HTTP {response.status} with a reply that is no Fault")
        expected = described.output.body
        if len(body) != 1 or expected is None or body[0].tag != expected.qname.text:
            raise _bad(response, f"the body is not the reply of {operation}")
        _drop_builtin_types(body)
        try:
            return _plain_result(_deserialized(described, body[0]))
        except _BadValueError as bad:
            raise _bad(response, f"not a value of its type: {bad.kind}", bad.path) from None
        except (*_BAD_BODY, _zeep("exceptions").Error) as error:
            raise _bad(response, f"the reply does not fit {self.wsdl} ({type(error).__name__})") from error

    def _operation(self, name: str) -> Any:
        if self._loaded is None:
            # Two threads may load it both; they load the same.
            self._loaded = _load(self.package, self.wsdl, self.operations)
        try:
            return self._loaded[name]
        except KeyError:
            raise PluginError(f"{name} is not among the operations of {self.package}'s {self.wsdl}") from None


def _zeep(module: str) -> Any:
    """A module of zeep, untyped: its attrs-made classes are opaque to type checkers."""
    # Whole first: two threads that begin with different parts of it would get halves, for its parts import each other.
    import_module("zeep")
    return import_module(f"zeep.{module}")


def _etree() -> Any:
    return import_module("lxml.etree")


class _PackageData:
    """The transport that zeep loads documents with: a plugin's package data and nothing else."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.root = f"file:///{package}/"

    def load(self, url: str) -> bytes:
        name = url.removeprefix(self.root)
        if name == url or "/" in name:
            raise PluginError(f"{self.package}: a WSDL refers to {url}; only files beside it are loaded")
        return files(self.package).joinpath(name).read_bytes()


def _load(package: str, wsdl: str, operations: Sequence[str]) -> Mapping[str, Any]:
    transport = _PackageData(package)
    settings = _zeep("settings").Settings(
        strict=True, force_https=False, xml_huge_tree=False, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        document = _zeep("wsdl").Document(transport.root + wsdl, transport, settings=settings)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"{package}: {wsdl} does not load ({type(error).__name__}: {error})") from error
    ports = [port for service in document.services.values() for port in service.ports.values()]
    found = dict(ports[0].binding.all()) if ports else {}
    # zeep only warns when it drops an operation that it cannot resolve.
    if missing := [name for name in operations if name not in found]:
        raise PluginError(f"{package}: {wsdl} lacks {', '.join(missing)}")
    seen: set[int] = set()  # operations share their types
    for name in operations:
        _make_strict(found[name].output.body, seen)
    return {name: found[name] for name in operations}


def _deserialized(described: Any, reply: Any) -> Any:
    """As the WSDL says, else tolerantly: other order, unknown members, another namespace."""
    wsdl, element = described.binding.wsdl, described.output.body

    def parsed() -> Any:
        context = _zeep("xsd.context").XmlParserContext(settings=wsdl.settings)
        return element.parse(reply, wsdl.types, context=context)

    try:
        return parsed()
    except _zeep("exceptions").Error:
        with wsdl.settings(strict=False, xsd_ignore_sequence_order=True):
            return parsed()


def _plain_result(value: Any) -> dict[str, Any]:
    """Without the wrapper; zeep itself would take off another level where the result has one member only."""
    plain = _plain(value)
    if isinstance(plain, dict) and len(plain) == 1:
        (plain,) = plain.values()
    if isinstance(plain, dict):
        return plain
    return {} if plain is None else {"value": plain}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [item if isinstance(item, _LEAVES) else _plain(item) for item in value]
    values = getattr(value, "__values__", None)
    if values is None:
        return value
    return {
        name: item if isinstance(item, _LEAVES) else _plain(item)
        for name, item in values.items()
        if name != "_raw_elements"
    }


# ---- values: zeep turns a bad integer into None with a log line, and drops foreign characters from base64 in silence


class _BadValueError(Exception):
    def __init__(self, element: Any, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.path = _path(element)


class _Strict:
    """Mixed into zeep's simple types of our own document: a value that is not of its type raises."""

    def parse_xmlelement(
        self, xmlelement: Any, schema: Any = None, allow_none: bool = True, context: Any = None, schema_type: Any = None
    ) -> Any:
        if len(xmlelement):
            raise _BadValueError(xmlelement, "elements in place of text")
        if (text := xmlelement.text) is None:
            return None
        try:
            return self.pythonvalue(text)
        except _BAD_BODY:
            raise _BadValueError(xmlelement, type(self).__name__.removeprefix("Strict")) from None

    def pythonvalue(self, value: str) -> Any:
        return super().pythonvalue(value)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


class _StrictBase64(_Strict):
    def pythonvalue(self, value: str) -> bytes:
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            # Line ends are allowed in XML's base64, and rare.
            return base64.b64decode("".join(value.split()), validate=True)


class _ExactNumber(_Strict):
    def pythonvalue(self, value: str) -> Decimal:
        return Decimal(value)


@lru_cache(maxsize=64)
def _strict(kind: type) -> type:
    builtins = _zeep("xsd.types.builtins")
    mixin = _Strict
    if issubclass(kind, builtins.Base64Binary):
        mixin = _StrictBase64
    elif issubclass(kind, (builtins.Double, builtins.Float)):
        mixin = _ExactNumber
    return type(f"Strict{kind.__name__}", (mixin, kind), {})


def _make_strict(element: Any, seen: set[int]) -> None:
    if element is None or id(element) in seen:
        return
    seen.add(id(element))
    kind = element.type
    if isinstance(kind, _zeep("xsd").AnySimpleType):
        # A copy: zeep's built-in types are shared by everybody in the process.
        element.type = copy.copy(kind)
        zeeps: Any = type(kind)
        element.type.__class__ = _strict(zeeps)
        return
    for _, inner in getattr(kind, "elements", ()):
        if hasattr(inner, "type"):
            _make_strict(inner, seen)


def _drop_builtin_types(body: Any) -> None:
    """A reply may name a derived type of the WSDL; a plain type of its own choice would get round the strict ones."""
    for element in body.iter():
        if (named := element.get(_XSI_TYPE)) is not None:
            prefix = named.rpartition(":")[0] or None
            if element.nsmap.get(prefix) == _XSD:
                del element.attrib[_XSI_TYPE]


# ---- the envelope


def _body(response: Response) -> Any:
    """The SOAP body of *response*: status and content type first, since an HTML error page would parse."""
    if not response.content.strip():
        raise _bad(response, "the body is empty")
    media_type = response.headers.get("content-type", "text/xml").partition(";")[0].strip().lower()
    if not media_type.endswith(("/xml", "+xml")) or media_type.startswith("application/xhtml"):
        raise _bad(response, f"{media_type} in place of XML")
    root = _parsed(response)
    namespace, _, local = root.tag[1:].rpartition("}")
    body = root.find(f"{{{namespace}}}Body") if namespace in _ENVELOPES and local == "Envelope" else None
    if body is None:
        raise _bad(response, "no SOAP envelope with a body")
    return body


def _parsed(response: Response) -> Any:
    etree = _etree()
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(response.content, parser=parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _bad(response, "not well-formed XML") from error
    if root.getroottree().docinfo.doctype:
        raise _bad(response, "a document type is refused")
    return root


def _fault(response: Response, body: Any) -> SoapFault | None:
    namespace = body.tag[1:].rpartition("}")[0]
    fault = body.find(f"{{{namespace}}}Fault")
    if fault is None:
        return None
    if _ENVELOPES[namespace] == "1.1":
        code, text, detail = fault.findtext("faultcode"), fault.findtext("faultstring"), fault.find("detail")
    else:
        soap = f"{{{namespace}}}"
        code, text = fault.findtext(f"{soap}Code/{soap}Value"), fault.findtext(f"{soap}Reason/{soap}Text")
        detail = fault.find(f"{soap}Detail")
    content = _as_mapping(detail) if detail is not None and len(detail) else {}
    return SoapFault.of(
        response,
        message="the service answered with a fault @ $",
        carrier_code=(code or "").strip(),
        carrier_message=(text or "").strip(),
        paths=("$",),
        detail=content,
    )


def _as_mapping(element: Any) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for child in element:
        content = _as_mapping(child) if len(child) else (child.text or "").strip()
        found.setdefault(child.tag.rpartition("}")[2], []).append(content)
    return {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()}


def _path(element: Any) -> str:
    """Where *element* stands below the reply and the result that wraps it, as ``$.labels.Label[0].label``."""
    steps: list[str] = []
    while (parent := element.getparent()) is not None and parent.tag.rpartition("}")[2] != "Body":
        name = element.tag.rpartition("}")[2]
        same = [child for child in parent if child.tag == element.tag]
        steps.append(f"{name}[{same.index(element)}]" if len(same) > 1 else name)
        element = parent
    return ".".join(("$", *list(reversed(steps))[1:]))


def _bad(response: Response, what: str, path: str = "$") -> ReplyError:
    return ReplyError.of(response, message=f"{what} @ {path}", paths=(path,))


# ---- texts


def _not_xml(value: Any, path: str = "") -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _not_xml(item, f"{path}/{name}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _not_xml(item, f"{path}/{index}")
    elif isinstance(value, str) and not all(map(_is_xml, value)):
        yield _not_xml_at(path)


def _is_xml(char: str) -> bool:
    """https://www.w3.org/TR/xml/#charsets; what lxml refuses beyond that (noncharacters) counts too."""
    return char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char >= "\U00010000"


def _not_xml_at(path: str) -> Problem:
    return Problem(path=path, code=ProblemCode.BAD_CHARACTERS, text="a character that XML cannot carry")
