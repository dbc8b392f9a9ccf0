"""Labels and comments by page: an organization's labels, those of one execution, and what people write about it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from dashboard.frame import organization_of
from workflows.models import Label
from workflows.services import marks as service
from workflows.services.executions import find_execution

MADE, LIST = "workflows:execution", "workflows:labels"


class LabelForm(forms.Form):
    name = forms.CharField(
        max_length=service.LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give the label a name."},
    )
    color = forms.CharField(
        label="Colour", max_length=7, initial=service.DEFAULT_COLOR, widget=forms.TextInput(attrs={"type": "color"})
    )


class LabelsForm(forms.Form):
    """Which labels an execution has, and a new one for it that its organization does not have yet."""

    labels = forms.TypedMultipleChoiceField(
        required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple, empty_value=[]
    )
    new = forms.CharField(
        label="Another label",
        required=False,
        max_length=service.LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, offered: list[Label], given: list[UUID], organization: str
    ) -> None:
        super().__init__(data, initial={"labels": [str(pk) for pk in given]})
        field = self.fields["labels"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(label.pk), label.name) for label in offered]
        self.fields["new"].help_text = f"It is created for {organization}, and given to this execution."
        if not offered:
            del self.fields["labels"]


class CommentForm(forms.Form):
    content = forms.CharField(
        label="Comment",
        max_length=service.LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write something."},
    )
    public = forms.BooleanField(required=False, help_text="It may be shown to people outside of the organization.")


@require_safe
@login_required
def label_list(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    labels = service.list_labels(caller(request), organization_id=organization.uid)
    return render(request, "workflows/labels.html", {"labels": labels, "organization": organization})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_label(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    form = LabelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = service.create_label(caller(request), organization_id=organization.uid, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"“{made.name}” can be given to executions.")
            return redirect(LIST)
    context = {"form": form, "organization": organization}
    return render(request, "workflows/label_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_label(request: HttpRequest, label_id: UUID) -> HttpResponse:
    who = caller(request)
    label = service.find_label(who, label_id)
    form = LabelForm(request.POST or None, initial={"name": label.name, "color": label.color})
    if request.method == "POST" and form.is_valid():
        try:
            service.change_label(who, label_id=label_id, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "The label is saved.")
            return redirect(LIST)
    context = {"form": form, "label": label, "organization": label.organization}
    return render(request, "workflows/label_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_label(request: HttpRequest, label_id: UUID) -> HttpResponse:
    who = caller(request)
    label = service.find_label(who, label_id)
    if request.method == "POST":
        service.delete_label(who, label_id=label_id)
        messages.success(request, f"“{label.name}” is deleted.")
        return redirect(LIST)
    context = {"label": label, "used": label.executions.count()}
    return render(request, "workflows/label_delete.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def execution_labels(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Which labels the execution has."""
    who = caller(request)
    execution = find_execution(who, execution_id)
    organization = execution.organization
    form = LabelsForm(
        request.POST if request.method == "POST" else None,
        offered=service.list_labels(who, organization_id=organization.uid),
        given=[label.pk for label in execution.labels.all()],
        organization=organization.name,
    )
    if form.is_valid():
        chosen, name = list(form.cleaned_data.get("labels", [])), form.cleaned_data["new"]
        try:
            with transaction.atomic():
                if name.strip():
                    chosen.append(service.create_label(who, organization_id=organization.uid, name=name).pk)
                service.set_labels(who, execution_id=execution_id, label_ids=chosen)
        except DomainError as error:
            form.add_error("new" if error.data.get("field") == "name" else None, error.message)
        else:
            messages.success(request, "The labels are saved.")
            return redirect(MADE, execution_id)
    context = {"form": form, "execution": execution}
    return render(request, "workflows/execution_labels.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_comment(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Write about the execution. Its page has the form too, and leads here where something is wrong with it."""
    who = caller(request)
    execution = find_execution(who, execution_id)
    form = CommentForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = service.add_comment(who, execution_id=execution_id, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect(f"{reverse(MADE, args=[execution_id])}#c{made.pk}")
    context = {"form": form, "execution": execution}
    return render(request, "workflows/comment.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_comment(request: HttpRequest, execution_id: UUID, comment_id: UUID) -> HttpResponse:
    who = caller(request)
    comment = service.find_comment(who, comment_id, execution_id=execution_id)
    written = {"content": comment.content, "public": comment.public}
    form = CommentForm(request.POST if request.method == "POST" else None, initial=written)
    if form.is_valid():
        try:
            service.change_comment(who, comment_id=comment_id, execution_id=execution_id, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "The comment is saved.")
            return redirect(f"{reverse(MADE, args=[execution_id])}#c{comment_id}")
    context = {"form": form, "execution": find_execution(who, execution_id), "comment": comment}
    return render(request, "workflows/comment.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_comment(request: HttpRequest, execution_id: UUID, comment_id: UUID) -> HttpResponse:
    who = caller(request)
    comment = service.find_comment(who, comment_id, execution_id=execution_id)
    if request.method == "POST":
        service.delete_comment(who, comment_id=comment_id, execution_id=execution_id)
        messages.success(request, "The comment is deleted.")
        return redirect(MADE, execution_id)
    context = {"execution": find_execution(who, execution_id), "comment": comment}
    return render(request, "workflows/comment_delete.html", context)
