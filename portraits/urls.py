"""Where the portraits API lives, under /v1/."""

from django.urls import path

from portraits import api, check_views
from portraits.hand_views import ArchiveView, ImageView, LinkView, SharedView
from portraits.job_views import JobView
from portraits.open_views import PromptChoicesView, ReportView, StylesView, TrialView
from portraits.streams import EventsView

# Asked so often that they have an entrance of their own (deploy/quick.py).
quick = [
    path("jobs/<uuid:pk>", JobView.as_view()),
    path("jobs/<uuid:pk>/events", EventsView.as_view()),
]

urlpatterns = [
    path("styles", StylesView.as_view()),
    path("styles/<slug:slug>/trial", TrialView.as_view()),
    path("prompt-choices", PromptChoicesView.as_view()),
    path("reference-sets", api.ReferenceSetsView.as_view()),
    path("reference-sets/<uuid:pk>", api.ReferenceSetView.as_view()),
    path("reference-sets/<uuid:pk>/photos/<str:slot>", api.PhotoView.as_view()),
    path("jobs", api.JobsView.as_view()),
    *quick,
    path("jobs/<uuid:pk>/archive", ArchiveView.as_view()),
    path("jobs/<uuid:pk>/cancel", api.CancelView.as_view()),
    path("jobs/<uuid:pk>/items/<uuid:item_id>/retry", api.RetryView.as_view()),
    path("provenance/check", check_views.ChecksView.as_view()),
    path("provenance/checks/<uuid:pk>", check_views.CheckView.as_view()),
    path("me/allowance", api.AllowanceView.as_view()),
    path("portraits", api.PortraitsView.as_view()),
    path("portraits/<uuid:pk>", api.PortraitView.as_view()),
    path("portraits/<uuid:pk>/prompt", api.PromptView.as_view()),
    path("portraits/<uuid:pk>/image", ImageView.as_view()),
    path("portraits/<uuid:pk>/link", LinkView.as_view()),
    path("shared/<str:token>", SharedView.as_view()),
    path("portraits/<uuid:pk>/report", ReportView.as_view()),
    path("portraits/<uuid:pk>/receipt", api.PortraitReceiptView.as_view()),
]
