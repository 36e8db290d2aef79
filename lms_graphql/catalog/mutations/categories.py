"""The tree of categories, changed by super admins."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.reads.categories import categories_by_key
from lms_graphql.catalog.services import categories
from lms_graphql.catalog.types.payloads import CategoryPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields


@input_type()
class CreateCategoryInput:
    """A new shelf."""

    name: str = field("At most 100 characters, unique among the categories beside it, without case and accents.")
    description: str | None = field("What belongs there, at most 10,000 characters.", default=None)
    parent_id: strawberry.ID | None = field("The category above; a root where left out.", default=None)


@input_type()
class CategoryIdInput:
    """A category."""

    category_id: strawberry.ID = field("Which one.")


@input_type()
class UpdateCategoryInput(CategoryIdInput):
    """What is to be different. The slug stays."""

    name: strawberry.Maybe[str | None] = field("At most 100 characters.", default=None)
    description: strawberry.Maybe[str | None] = field("At most 10,000 characters.", default=None)
    parent_id: strawberry.Maybe[strawberry.ID | None] = field(
        "The category to move it below, with all that is below it; null makes it a root.", default=None
    )


@strawberry.type
class CategoryMutations:
    @mutation(has_permission("category:manage"))
    async def create_category(self, info: Info, input: CreateCategoryInput) -> CategoryPayload | None:
        """Add a category, for super admins. At most five levels deep."""
        context = info.context
        key = await context.write(categories.create_category, input.name, input.description, input.parent_id)
        return await payload(context, CategoryPayload, category=(categories_by_key, key))

    @mutation(has_permission("category:manage"))
    async def update_category(self, info: Info, input: UpdateCategoryInput) -> CategoryPayload | None:
        """Rename, describe or move a category, for super admins."""
        context = info.context
        key = await context.write(categories.update_category, input.category_id, provided_fields(input))
        return await payload(context, CategoryPayload, category=(categories_by_key, key))

    @mutation(has_permission("category:manage"))
    async def delete_category(self, info: Info, input: CategoryIdInput) -> DeletePayload | None:
        """Remove a category that has neither courses nor categories in it, for super admins."""
        deleted = await info.context.write(categories.delete_category, input.category_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))
