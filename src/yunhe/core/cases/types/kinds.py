"""A kind (办件类型) as a pack writes it: phases, obligations, actions, effects; typed and closed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from yunhe.kernel.sayings import Unfit

NAME = r"^[a-z][a-z0-9_]{0,62}$"
CODE = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
Name = Annotated[str, Field(pattern=NAME)]
Expression = Annotated[str, Field(max_length=2000)]
Operator = Literal["hand_on", "add_reviewer", "send_back", "retract", "remind", "escalate", "suspend", "extend", "merge", "split"]
FieldType = Literal["text", "integer", "decimal", "date", "boolean", "choice", "list", "rows", "map", "json", "attachments"]
SCALARS = ("text", "integer", "decimal", "date", "boolean", "choice")
MOST_FILES = 20
EFFECTS = (
    "open_obligation", "close_obligations", "close_group", "pause_clocks", "resume_clocks", "go_to_phase", "close_case", "set_field",
    "decide", "for_members", "call",
)  # fmt: skip


class Strict(BaseModel):
    """The base of every declaration: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TitlesModel(Strict):
    """A text in Chinese (required) and English (optional, falls back to the Chinese)."""

    zh: str = Field(min_length=1, max_length=2000)
    en: str = Field(default="", max_length=2000)

    def as_mapping(self) -> dict[str, str]:
        """Return {"zh","en"}."""
        return {"zh": self.zh, "en": self.en or self.zh}


def _from_plain(value: Any) -> Any:
    return {"zh": value} if isinstance(value, str) else value


Titles = Annotated[TitlesModel, BeforeValidator(_from_plain)]


class Choice(Strict):
    """One value that a choice field may hold."""

    value: str = Field(max_length=200)
    title: Titles


class SourceSpec(Strict):
    """Where a field's value comes from, instead of from who fills the form in: a registered source and its arguments.

    An argument is a text, or a reference (`form.x` of an earlier field, `data.x` of the case). `when` (as a field's)
    tells in which cases; in all others the field is filled in by hand.
    """

    code: str = Field(pattern=CODE)
    arguments: dict[Name, str] = Field(default_factory=dict)
    when: Expression = ""

    @model_validator(mode="before")
    @classmethod
    def _read_flat(cls, value: Any) -> Any:
        """Read `{from: exchange.value, resource: R, key: form.x}` as packs write it."""
        if isinstance(value, dict) and "from" in value:
            rest = {name: told for name, told in value.items() if name not in ("from", "when")}
            return {"code": value["from"], "when": value.get("when", ""), "arguments": rest}
        return value


class FieldSpec(Strict):
    """One field of a form, of a case's data, or of a register's body.

    `list` holds texts, `rows` holds objects of `fields`, `map` holds text by text (out of `choices`), `json` any bounded JSON value. `subset_of`
    names a list field of the case that bounds a list, or the keys of a map. The formats `organization`, `person` (a
    colleague's account), `role` and `kind` (of cases) are chosen and shown by name. `default_from` is a
    reference (`data.x`) used when the value is absent. A `required` boolean must be true, as a pledge is; one that is not
    `shown` must only be told. `internal` fields are set by effects only; those not `shown` serve the rules, not the reader.

    `when` (over earlier fields of the form as `form_x`, and what guards name): unless it holds, the field is neither
    shown nor kept. `element` names a data element of the standards, whose type, length, form and codes bind the value.
    `attachments` holds ids of files handed in. With a `source` the value comes from shared data by a receipt; by hand only
    with a reason, in the field beside it that publishing adds (`reason_for`).
    """

    name: Name
    title: Titles
    type: FieldType = "text"
    required: bool = False
    internal: bool = False
    shown: bool = True
    max_length: int = Field(default=2000, ge=1, le=200_000)
    minimum: int | None = None
    maximum: int | None = None
    format: Literal["", "code", "identifier", "uscc", "organization", "username", "person", "role", "kind"] = ""
    choices: tuple[Choice, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    max_items: int = Field(default=500, ge=1, le=10_000)
    subset_of: str = ""
    default_from: str = ""
    multiline: bool = False
    help: Titles | None = None
    when: Expression = ""
    element: str = Field(default="", max_length=120)
    source: SourceSpec | None = None
    reason_for: str = Field(default="", max_length=63)

    @model_validator(mode="after")
    def _has_its_parts(self) -> FieldSpec:
        if (self.type == "choice") != bool(self.choices) and self.type != "map":
            raise Unfit("choices 属于 choice 类型的字段（必须有）或 map", "choices belong to a field of type choice, which needs them, or map")
        if (self.type == "rows") != bool(self.fields):
            raise Unfit("fields 属于 rows 类型的字段（必须有）", "fields belong to a field of type rows, which needs them")
        if self.subset_of and self.type not in ("list", "map"):
            raise Unfit("subset_of 只用于 list 或 map 类型的字段", "subset_of belongs to a field of type list or map")
        if self.type not in SCALARS and (self.element or self.source):
            raise Unfit("element 和 source 只用于单值的字段", "element and source belong to a field that holds one value")
        if any(field.when or field.source or field.type == "attachments" for field in self.fields):
            said = "when, source and attachments belong to a field of the form itself, not of its rows"
            raise Unfit("when、source 和 attachments 只用于表单本身的字段，不用于表格里的列", said)
        return self


class PhaseSpec(Strict):
    """A phase (阶段): what people outside see of where the case stands."""

    code: Name
    title: Titles


class WhoSpec(Strict):
    """Whose turn it is: roles of one organisation, or one person.

    `organization`: applicant, owner, bureau (any holder of the role in the data bureau), or each: one
    obligation for every organisation that the field `each` of the case names (会签): a list, or one organisation.
    The person batch is nobody: the batch case that owns this one ends it for all its members.
    """

    organization: Literal["applicant", "owner", "bureau", "each", ""] = ""
    each: str = Field(default="", max_length=63)
    roles: tuple[Name, ...] = ()
    person: Literal["opener", "batch", ""] = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> WhoSpec:
        if bool(self.person) == bool(self.organization and self.roles):
            raise Unfit("person 与“organization 加 roles”二者写一个", "name either a person, or an organization with its roles")
        if bool(self.each) != (self.organization == "each"):
            raise Unfit("each 写单位字段的名称，与 organization: each 同用", "each names a field of organisations and belongs to organization: each")
        return self


class LimitSpec(Strict):
    """How long something may take, and which rule says so. The first that applies counts.

    `use` names a dated limit of a pack (`limits/*.csv`): the one in force on the day the clock starts counts.
    A limit of the whole case starts when it is opened, or `starts_with` an action (自受理之日起): the first time it is taken.
    `extend_most` is how much longer it may be made in all, in its own unit; where nothing is said the law sets no bound.
    """

    when: Expression = ""
    use: str = Field(default="", pattern=r"^([a-z][a-z0-9_.]{0,79})?$")
    amount: int | None = Field(default=None, ge=0, le=3660)
    unit: Literal["workdays", "days", "hours"] = "workdays"
    basis: str = Field(default="", max_length=500)
    starts_with: str = Field(default="", max_length=63)
    extend_most: int | None = Field(default=None, ge=0, le=3660)

    @model_validator(mode="after")
    def _one_source(self) -> LimitSpec:
        if bool(self.use) == (self.amount is not None and bool(self.basis)) or (self.use and (self.basis or self.extend_most is not None)):
            said = "a limit either has amount and basis of its own, or uses a dated one by its code"
            raise Unfit("时限要么写 amount 和 basis，要么用 use 引用已有的时限，二者写一个", said)
        return self


class GuardSpec(Strict):
    """A condition of an action, and what to say when it does not hold."""

    when: Expression
    message: Titles


class SetSpec(Strict):
    """Put a value into a field of the case: `source` is a reference such as `form.x`."""

    field: Name
    source: str = ""
    value: str | int | bool | None = None


class DecideSpec(Strict):
    """Ask a decision table (决策表) and put what it answers into fields of the case.

    `inputs` are references by input (by default the case's field of that name), `into` fields by output (likewise).
    The rules in force on the day of the step decide; the event keeps which rows of which version did.
    """

    table: Name
    inputs: dict[Name, str] = Field(default_factory=dict)
    into: dict[Name, Name] = Field(default_factory=dict)


class MembersSpec(Strict):
    """Take an action for the members of a batch (批量办件), best first.

    It ends the obligation of each member that waits for its batch. `when` reads the member's fields and
    `member_rank` (1 is the first of the kind's order); the first spec whose condition holds acts on a member.
    """

    action: Name
    when: Expression = ""
    form: dict[Name, str] = Field(default_factory=dict)


class EffectSpec(Strict):
    """One effect out of the closed set; `when` (an expression) makes it conditional.

    `pause_clocks` names the rule that allows the pause (法定不计入时限的依据).
    """

    open_obligation: str = ""
    close_obligations: str = ""
    close_group: str = ""
    pause_clocks: str = Field(default="", max_length=500)
    resume_clocks: bool = False
    go_to_phase: str = ""
    close_case: str = ""
    set_field: SetSpec | None = None
    decide: DecideSpec | None = None
    for_members: tuple[MembersSpec, ...] = ()
    call: str = ""
    arguments: dict[Name, str] = Field(default_factory=dict)
    when: Expression = ""

    @model_validator(mode="after")
    def _exactly_one(self) -> EffectSpec:
        if sum(map(bool, self.parts)) != 1:
            raise Unfit(f"每项效果写其中一个：{'、'.join(EFFECTS)}", f"an effect is exactly one of {', '.join(EFFECTS)}")
        if self.arguments and not self.call:
            raise Unfit("arguments 只与 call 同用", "arguments belong to call")
        return self

    @property
    def parts(self) -> tuple[object, ...]:
        """Return the ways, of which one is set."""
        return (
            self.open_obligation,
            self.close_obligations,
            self.close_group,
            self.pause_clocks,
            self.resume_clocks,
            self.go_to_phase,
            self.close_case,
            self.set_field,
            self.decide,
            self.for_members,
            self.call,
        )


class ActionSpec(Strict):
    """What the bearer of an obligation may do; it closes the obligation with its outcome.

    A `by_room` one is nobody's to take: the room that watches what the case waits for reports it (`report_event`).
    """

    title: Titles
    outcome: Name
    style: Literal["primary", "normal", "danger"] = "normal"
    by_room: bool = False
    guards: tuple[GuardSpec, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    effects: tuple[EffectSpec, ...] = ()


class ChildSpec(Strict):
    """The sub-case (子办件) that stands for an obligation: opened with it, and its end ends it.

    `title` and the values of `data` are references such as `data.x` or `'text'`; the child applies for the
    case's organisation, and whom the obligation names is asked (its owner). `outcomes` are those of the child
    that the group's rules name. `results` are fields of the case and the child's fields that are put into them at its
    end, before those rules are asked.
    """

    kind: Name
    outcomes: tuple[Name, ...] = ()
    title: str = Field(default="case.title", max_length=300)
    data: dict[Name, str] = Field(default_factory=dict)
    results: dict[Name, Name] = Field(default_factory=dict)


class LapseSpec(Strict):
    """What happens by itself when the time of an obligation is over (期满): it ends with this outcome."""

    outcome: Name
    title: Titles
    effects: tuple[EffectSpec, ...] = ()


class RecurSpec(Strict):
    """The obligation comes again at the start of every calendar period (周期待办), the first time at once.

    `until` names a date field: after that day nothing more opens. Ends as well when the obligation is cancelled.
    """

    every: Literal["day", "week", "month", "quarter", "half_year", "year"]
    until: str = Field(default="", max_length=63)


class ObligationSpec(Strict):
    """A piece of work that someone owes (待办), with the actions that end it, or the sub-case that does.

    A `transferable` one may be handed on to another organisation; any other only within its own.
    """

    title: Titles
    who: WhoSpec
    group: str = Field(default="", max_length=63)
    limits: tuple[LimitSpec, ...] = ()
    actions: dict[Name, ActionSpec] = Field(default_factory=dict)
    child: ChildSpec | None = None
    transferable: bool = False
    on_due: LapseSpec | None = None
    recurs: RecurSpec | None = None

    @model_validator(mode="after")
    def _ends_somehow(self) -> ObligationSpec:
        if bool(self.actions) == bool(self.child):
            raise Unfit("待办要么有 actions，要么有 child，二者写一个", "an obligation has either actions or a child")
        if self.on_due and not self.limits:
            raise Unfit("on_due 只用于有 limits 的待办", "on_due belongs to an obligation with limits")
        if self.child and (self.on_due or self.recurs):
            raise Unfit("由子办件了结的待办不能有 on_due 和 recurs", "on_due and recurs do not belong to an obligation that a child ends")
        if self.child and not self.group:
            raise Unfit("由子办件了结的待办须属于一个 group，由其规则接着办", "an obligation that a child ends needs a group, whose rules go on from there")
        return self


class GroupRule(Strict):
    """One rule of a group: when it holds, its effects run."""

    when: Expression
    effects: tuple[EffectSpec, ...] = Field(min_length=1)


class GroupSpec(Strict):
    """How obligations side by side join (会签、或签、表决): predicates over their group.

    Asked in order whenever one of the group ended; the first that holds runs. Beside the case's fields they
    name open_count, done_count, total_count, score_mean and `count_OUTCOME` of each outcome.
    `score` names the number in the form of an action that is the obligation's score. `distinct`: nobody fulfils two of them.
    `sealed`: what each answered is seen by nobody else until none of them is open (密封，同时开启).
    """

    rules: tuple[GroupRule, ...] = Field(min_length=1)
    score: str = Field(default="", max_length=63)
    distinct: bool = False
    sealed: bool = False


class OpensSpec(Strict):
    """Who may open a case of the kind: a permission over the applicant's or the owner's organisation."""

    permission: str = Field(pattern=CODE)
    over: Literal["applicant", "owner"] = "applicant"


class WaiverSpec(Strict):
    """What the operator's waiver of the second person does, in the embedded profile only."""

    title: Titles
    effects: tuple[EffectSpec, ...] = Field(min_length=1)


class WithdrawSpec(Strict):
    """How whoever opened a case takes it back (撤回申请): effects that end it, and tell the rooms if they must know.

    `phases`: while the case stands in one of them; none named: while nobody has ended any of its obligations.
    """

    phases: tuple[Name, ...] = ()
    effects: tuple[EffectSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_the_case(self) -> WithdrawSpec:
        if not any(effect.close_case and not effect.when for effect in self.effects):
            raise Unfit("撤回须办结办件：写一个不带条件的 close_case", "to withdraw a case ends it: name close_case without a condition")
        return self


class RungSpec(Strict):
    """One rung of the warning ladder (预警): at this share of the time between opening and due, its bearers are told.

    `escalate` puts the case under supervision as well.
    """

    percent: int = Field(ge=1, le=1000)
    escalate: bool = False


class BatchSpec(Strict):
    """The case owns a list of cases of another kind (批量办件): a ranking, a pay list, a draw.

    Members are open cases that wait for their batch, each in one batch at most. `order_by` names a field of the
    member's kind that ranks them (`-` before it: the largest first); cases that are equal go by their number.
    """

    kind: Name
    order_by: str = Field(default="", pattern=r"^(-?[a-z][a-z0-9_]{0,62})?$")
    most: int = Field(default=500, ge=1, le=500)


class KindSpec(Strict):
    """A whole kind. Immutable; a changed text is a new version named by its digest.

    `operators` are the generic ones (转办、加签…) that its cases allow beside their actions. `by_form`: people open
    it by the form of its fields; else only rooms do. `heading` makes the title of each case, `{field}` for a
    value, `{opener_name}` for who opens it; people are then not asked for one. `about` tells people in a sentence what the kind is for. `withdraw`:
    when and how whoever opened a case takes it back.
    """

    code: Name
    title: Titles
    prefix: str = Field(pattern=r"^[A-Z]{2,6}$")
    opens: OpensSpec
    by_form: bool = False
    heading: str = Field(default="", max_length=200)
    about: Titles | None = None
    fields: tuple[FieldSpec, ...] = ()
    phases: tuple[PhaseSpec, ...] = Field(min_length=1)
    limits: tuple[LimitSpec, ...] = ()
    start: tuple[EffectSpec, ...] = Field(min_length=1)
    obligations: dict[Name, ObligationSpec] = Field(default_factory=dict)
    groups: dict[Name, GroupSpec] = Field(default_factory=dict)
    operators: tuple[Operator, ...] = get_args(Operator)
    ladder: tuple[RungSpec, ...] = (RungSpec(percent=80), RungSpec(percent=100))
    waiver: WaiverSpec | None = None
    withdraw: WithdrawSpec | None = None
    batch: BatchSpec | None = None

    @property
    def asks_owner(self) -> bool:
        """Tell whether cases of the kind are put to an organisation that whoever opens one names."""
        return self.opens.over == "owner" or any(o.who.organization == "owner" for o in self.obligations.values())

    @property
    def withdrawal(self) -> WithdrawSpec | None:
        """Return how a case is taken back: as declared; or it just ends, where people open it, no room was told and retract is allowed."""
        if self.withdraw or not self.by_form or "retract" not in self.operators or any(effect.call for effect in self.start):
            return self.withdraw
        return WithdrawSpec(effects=(EffectSpec(close_case="withdrawn"),))

    def obligation(self, name: str) -> ObligationSpec:
        """Return a declared obligation, the built-in one of that name, or what stands for one of an older version."""
        known = self.obligations.get(name) or BUILT_IN.get(name)
        return known or BUILT_IN[OPINION].model_copy(update={"title": TitlesModel(zh=name)})


OPINION = "_opinion"
"""The obligation of an added reviewer (加签); every kind has it."""

BUILT_IN: dict[str, ObligationSpec] = {
    OPINION: ObligationSpec(
        title=TitlesModel(zh="出具意见", en="Give an opinion"),
        who=WhoSpec(person="opener"),
        actions={
            "give_opinion": ActionSpec(
                title=TitlesModel(zh="提交意见", en="Submit the opinion"),
                outcome="given",
                style="primary",
                fields=(
                    FieldSpec(
                        name="agrees",
                        title=TitlesModel(zh="是否同意", en="Agree"),
                        type="choice",
                        required=True,
                        choices=(
                            Choice(value="yes", title=TitlesModel(zh="同意", en="Yes")),
                            Choice(value="no", title=TitlesModel(zh="不同意", en="No")),
                        ),
                    ),
                    FieldSpec(name="opinion", title=TitlesModel(zh="意见", en="Opinion"), required=True, multiline=True),
                ),
            )
        },
    )
}
