"""Croissant metadata with its responsible-AI fields: https://docs.mlcommons.org/croissant/docs/croissant-spec.html."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec

from globmed.core.item import Item
from globmed.data.release.dataset import Dataset, attributes, language_title
from globmed.data.release.licences import address
from globmed.data.release.responsible import responsible_fields

CONFORMS = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
            "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
            "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}  # fmt: skip
PARQUET = "application/x-parquet"

_TYPES = {str: "sc:Text", int: "sc:Integer", float: "sc:Float", bool: "sc:Boolean"}


def croissant(dataset: Dataset) -> str:
    """Write the metadata: a record set a language, over the files of that language."""
    contents, choice = dataset.contents, dataset.choice
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": choice.name,
        "version": choice.version,
        "description": (
            f"Medical questions: {contents.items()} items in {len(dataset.codes)} languages, from "
            f"{', '.join(map(dataset.source_title, contents.sources))}."
        ),
        "license": sorted({address(licence) for _, licence in contents.licences}),
        "inLanguage": dataset.codes,
        "keywords": ["medicine", "multilingual", "question answering"],
        "citeAs": "; ".join(_citations(dataset)) or dataset.title,
        "isLiveDataset": False,
        **({"url": choice.url} if choice.url else {}),
        **({"creator": {"@type": "sc:Organization", "name": choice.creator}} if choice.creator else {}),
        **({"datePublished": choice.day} if choice.day else {}),
        **responsible_fields(dataset),
        "distribution": [*_files(dataset), *map(_file_set, dataset.codes)],
        "recordSet": [_record_set(dataset, code) for code in dataset.codes],
    }
    return json.dumps(described, ensure_ascii=False, indent=1) + "\n"


def _citations(dataset: Dataset) -> list[str]:
    known = (dataset.about.get(name) for name in dataset.contents.sources)
    return list(dict.fromkeys(about.citation for about in known if about and about.citation))


def _files(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for name, entry in dataset.files.items():
        yield {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "description": f"{entry.rows} items",
            "contentUrl": name,
            "contentSize": f"{dataset.bytes[name]} B",
            "encodingFormat": PARQUET,
            "sha256": entry.sha256,
        }


def _file_set(code: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-{code}",
        "name": f"files-{code}",
        "description": f"The files of {language_title(code)}",
        "encodingFormat": PARQUET,
        "includes": f"*.{code}.*.parquet",
    }


def _record_set(dataset: Dataset, code: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": code,
        "name": code,
        "description": f"{dataset.contents.items(language=code)} items in {language_title(code)}",
        "key": {"@id": f"{code}/family"},
        "field": [_field(code, name, kind, text) for name, kind, text in _columns(Item)],
    }


def _columns(record: type[msgspec.Struct]) -> Iterator[tuple[str, Any, str]]:
    kinds, texts = typing.get_type_hints(record), attributes(record)
    for field in msgspec.structs.fields(record):
        yield field.encode_name, kinds[field.name], texts.get(field.name, "")


def _field(code: str, name: str, kind: Any, text: str) -> dict[str, Any]:
    repeated, inner = _inner(kind)
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{code}/{name}",
        "name": name,
        "description": text,
        **({"repeated": True} if repeated else {}),
    }
    if inner in _TYPES:
        return {**field, "dataType": _TYPES[inner], "source": _source(code, name)}
    # A list inside a record has no counterpart in Croissant 1.0: the Parquet files hold those.
    below = [(part, of, said) for part, of, said in _columns(inner) if not _inner(of)[0]]
    return {
        **field,
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{code}/{name}/{part}",
                "name": part,
                "description": said,
                "dataType": _TYPES[_inner(of)[1]],
                "source": {**_source(code, name), "transform": {"jsonPath": f"$.{part}"}},
            }
            for part, of, said in below
        ],
    }


def _inner(kind: Any) -> tuple[bool, Any]:
    """Return whether a field is a list, and the type of its one value, or of each of its values."""
    if get_origin(kind) is tuple:
        return True, _inner(get_args(kind)[0])[1]
    return False, str if get_origin(kind) is Literal else kind


def _source(code: str, column: str) -> Mapping[str, Any]:
    return {"fileSet": {"@id": f"files-{code}"}, "extract": {"column": column}}
