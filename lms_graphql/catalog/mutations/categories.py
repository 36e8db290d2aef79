"""Mutations of categories, for super admins."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.catalog.reads.categories import categories_by_key
from lms_graphql.catalog.services import categories
from lms_graphql.catalog.types.payloads import CategoryPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

NAME = "Name, at most 100 characters. Unique below its parent; case, accents and strokes are ignored."
DESCRIPTION = "Description, at most 10,000 characters."


@input_type()
class CreateCategoryInput:
    """A category to create."""

    name: str = field(NAME)
    description: str | None = field(DESCRIPTION, default=None)
    parent_id: strawberry.ID | None = field("Id of the parent. Without it the category is a root.", default=None)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class CategoryIdInput:
    """The category that the mutation is about."""

    category_id: strawberry.ID = field("Id of the category.")


@input_type()
class UpdateCategoryInput(CategoryIdInput):
    """Fields to change. An omitted field keeps its value; null clears the description or the parent."""

    name: strawberry.Maybe[str | None] = field(NAME, default=None)
    description: strawberry.Maybe[str | None] = field(DESCRIPTION, default=None)
    parent_id: strawberry.Maybe[strawberry.ID | None] = field(
        "Id of the new parent. The descendants move too. Null makes the category a root.", default=None
    )


@strawberry.type
class CategoryMutations:
    @mutation(has_permission("category:manage"))
    async def create_category(self, info: Info, input: CreateCategoryInput) -> CategoryPayload | None:
        """Create a category. Only super admins can do this.

        Returns LIMIT_REACHED below the fifth level or if there are 1,000 categories, and ALREADY_EXISTS if another
        child of the parent has the name.
        """
        context = info.context
        create = once(info, input, categories.create_category)
        key = await context.write(create, input.name, input.description, input.parent_id)
        return await created_payload(context, input, CategoryPayload, category=(categories_by_key, key))

    @mutation(has_permission("category:manage"))
    async def update_category(self, info: Info, input: UpdateCategoryInput) -> CategoryPayload | None:
        """Rename, describe or move a category. Only super admins can do this. The slug stays.

        Returns the errors of `createCategory`, and INVALID if the new parent is the category or a descendant of it.
        """
        context = info.context
        key = await context.write(categories.update_category, input.category_id, provided_fields(input))
        return await payload(context, CategoryPayload, category=(categories_by_key, key))

    @mutation(has_permission("category:manage"))
    async def delete_category(self, info: Info, input: CategoryIdInput) -> DeletePayload | None:
        """Delete an empty category. Only super admins can do this.

        Returns IN_USE if it has courses or child categories.
        """
        deleted = await info.context.write(categories.delete_category, input.category_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))
