"""Which schools a school has met through mentoring, and what that weighs: the part of ``agents.SchoolAgent`` that is about contacts.

``contacts.py`` tells the same story over arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import draws, rules
from .state import LASTING


@dataclass
class Contact:
    """A lasting contact as one of its two schools has it: what it weighs there, and the month in which it is there no more."""

    other: "Acquainted"
    weight: float
    end: int


class Acquainted:
    """A school among the schools that it meets and has met; the attributes are those of ``SchoolAgent``."""

    model: Any
    index: int
    teachers: int
    team: int
    mentor: "Acquainted | None"
    mentees: Sequence["Acquainted"]
    peer_weights: list[tuple[int, float]]
    hours_shared: float
    hours_met: float
    contacts: list[Contact]

    def weight_of(self, hours: float) -> float:
        """Return what a contact weighs for this school by the hours its team shared."""
        return rules.contact_weight(hours, rules.contact_per_hour(self.model.par, self.team, self.teachers))

    def is_peer_of(self, other: "Acquainted") -> bool:
        """Tell whether two schools are peers, who need no contact."""
        return any(peer == other.index for peer, _ in self.peer_weights)

    def is_tied_to(self, other: "Acquainted") -> bool:
        """Tell whether two schools are in one cluster now."""
        return self.mentor is other or other.mentor is self or (self.mentor is not None and self.mentor is other.mentor)

    def contact_with(self, other: "Acquainted") -> Contact | None:
        """Return the lasting contact with a school, if there is one."""
        return next((contact for contact in self.contacts if contact.other is other), None)

    def end_contact(self, contact: Contact) -> None:
        """End a lasting contact, on both sides."""
        self.contacts.remove(contact)
        mirrored = contact.other.contact_with(self)
        if mirrored is not None:
            contact.other.contacts.remove(mirrored)

    def keep_contact(self, other: "Acquainted", hours: float) -> None:
        """Let a contact outlast the tie that made it, or not: one draw, named by both schools, decides."""
        model = self.model
        if hours <= 0.0 or self.is_peer_of(other):
            return
        first, second = sorted((self.index, other.index))
        u, v = draws.uniform_pair(model.seed_key, model.replicate, draws.CONTACT, first, 0, model.month, second)
        if u >= model.par.contact_lasts:
            return
        end = model.month + 1 + rules.contact_months(model.par, v)
        known = self.contact_with(other) is not None
        for school in () if known else (self, other):
            if len(school.contacts) == LASTING:
                school.end_contact(min(school.contacts, key=lambda contact: contact.weight))
        for school, partner in ((self, other), (other, self)):
            weight = school.weight_of(hours)
            contact = school.contact_with(partner)
            if contact is None:
                school.contacts.append(Contact(partner, weight, end))
            else:
                contact.weight, contact.end = max(weight, contact.weight), end

    def age_contacts(self) -> None:
        """End the lasting contacts whose time is over; of schools that are tied again they rest, and stay as much longer."""
        for contact in self.contacts:
            contact.end += self.is_tied_to(contact.other)
        self.contacts = [contact for contact in self.contacts if contact.end > self.model.month]

    def met(self) -> tuple[list[tuple[Any, float]], list[tuple[Any, float]]]:
        """Return the schools of its lasting contacts and those of its cluster, and what each weighs; the community is not among them."""
        lasting = [(contact.other, contact.weight) for contact in self.contacts if not self.is_tied_to(contact.other)]
        cluster: list[tuple[Any, float]] = []
        shared: list[tuple[Acquainted, float]] = []
        if self.mentor is not None:
            others = [other for other in self.mentor.mentees if other is not self]
            shared = [(self.mentor, self.hours_shared), *((other, min(self.hours_met, other.hours_met)) for other in others)]
        else:
            shared = [(other, other.hours_shared) for other in self.mentees]
        for other, hours in shared:
            if not self.is_peer_of(other):
                before = self.contact_with(other)
                cluster.append((other, max(self.weight_of(hours), before.weight if before else 0.0)))
        return lasting, cluster
