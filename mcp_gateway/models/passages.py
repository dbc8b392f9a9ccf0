"""The written guides, cut into passages that can be searched."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models

LANGUAGE = "english"


class Passage(models.Model):
    """What stands under one heading of a guide. Its index weighs the page's title and the heading above the text."""

    guide = models.SlugField(max_length=100)
    position = models.PositiveSmallIntegerField()
    anchor = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200)
    heading = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config=LANGUAGE)
        + SearchVector("heading", weight="A", config=LANGUAGE)
        + SearchVector("text", weight="D", config=LANGUAGE),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["guide", "position"]
        constraints = [models.UniqueConstraint(fields=["guide", "position"], name="passage_once")]
        indexes = [GinIndex(fields=["search"], name="passage_search")]

    def __str__(self) -> str:
        return f"{self.title}: {self.heading}" if self.heading else self.title
