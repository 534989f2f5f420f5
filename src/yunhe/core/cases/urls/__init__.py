from django.urls import path

from yunhe.core.cases.views import (
    absences,
    batches,
    bulk,
    case,
    inbox,
    kinds,
    listing,
    opening,
    paper,
    rulebook,
    saved,
    team,
)

app_name = "cases"
urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("new/", opening.list_new, name="new"),
    path("new/<slug:kind>/", opening.open_case, name="open"),
    path("drafts/<slug:draft_id>/discard/", opening.discard_draft, name="discard_draft"),
    path("absences/", absences.absences, name="absences"),
    path("absences/<slug:delegation_id>/end/", absences.end_absence, name="end_absence"),
    path("rules/", rulebook.show_rulebook, name="rulebook"),
    path("rules/<slug:code>/", rulebook.show_table, name="table"),
    path("kinds/", kinds.list_kinds, name="kinds"),
    path("kinds/<slug:kind>/", kinds.show_kind, name="kind"),
    path("kinds/<slug:kind>/bpmn/", kinds.download_bpmn, name="kind_bpmn"),
    path("cases/", listing.list_cases, name="list"),
    path("cases/<str:case_id>/", case.show_case, name="case"),
    path("cases/<str:case_id>/members/", batches.members, name="members"),
    path("bulk/", bulk.bulk, name="bulk"),
    path("views/<slug:page>/", saved.save_view, name="save_view"),
    path("views/<slug:view_id>/change/", saved.change_view, name="change_view"),
    path("team/", team.team, name="team"),
    path("team/work/", team.team_work, name="team_work"),
    path("team/hand-over/", team.hand_over, name="hand_over"),
    path("remind/", bulk.remind, name="remind"),
    path("cases/<str:case_id>/print/", paper.print_case, name="print"),
    path("cases/<str:case_id>/operators/<slug:operator>/", case.operate, name="operate"),
    path("cases/<str:case_id>/<str:obligation_id>/<str:action>/", case.act, name="act"),
]
