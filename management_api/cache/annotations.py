"""How objects tell that this API made them. Whoever may write an object may write that, too."""

from agentidp.domain.resources import GROUP

GENERATED = f"{GROUP}/generated-by"
