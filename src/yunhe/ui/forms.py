"""Forms: Django's, dressed for the component set, with an api's refusal shown where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django import forms
from django.utils.translation import get_language

from yunhe.kernel.errors import Kind, YunheError

T = TypeVar("T")
CHOOSERS = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)
MENDABLE = ("invalid", "conflict", "missing")


class YunheForm(forms.Form):
    """A form that the `{% form %}` tag draws. `status` is the HTTP status to answer with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field.widget)

    @property
    def status(self) -> int:
        """Return 422 when the form was refused, else 200."""
        return 422 if self.is_bound and self.errors else 200

    def submit(self, act: Callable[[dict[str, Any]], T], *, also: Sequence[Kind] = ()) -> T | None:
        """Do `act(cleaned_data)` if the form is valid; put what the api refuses as an error into the form.

        `also`: further kinds of errors that belong into the form, as a wrong password does.
        Returns: what `act` returned, or None when there is something to mend.
        """
        if not self.is_valid():
            return None
        try:
            return act(self.cleaned_data)
        except YunheError as error:
            if error.kind not in (*MENDABLE, *also):
                raise
            self.refuse(error)
            return None

    def refuse(self, error: YunheError) -> None:
        """Show an api's error at the field it names (fact `field`), else on top."""
        name = str(error.facts.get("field", ""))
        self.add_error(name if name in self.fields else None, error.say(get_language() or "zh"))


def dress(widget: forms.Widget) -> None:
    """Do give an input the class that it has in the component set."""
    if isinstance(widget, CHOOSERS):
        name = "form-check-input"
    elif isinstance(widget, forms.Select):
        name = "form-select"
    else:
        name = "form-control"
    widget.attrs["class"] = f"{widget.attrs.get('class', '')} {name}".strip()
