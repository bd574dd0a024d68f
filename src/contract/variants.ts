import type { Static, TObject, TProperties, TUnsafe } from 'typebox'

/**
 * A config that takes one of several shapes, told apart by the text in `tag`. Errors then speak of the chosen shape
 * only, where a plain union would report what is wrong with every shape.
 */
export function variants<const Shapes extends { readonly [name: string]: TObject<TProperties> }>(
  tag: string,
  description: string,
  shapes: Shapes,
): TUnsafe<{ [Name in keyof Shapes]: Static<Shapes[Name]> }[keyof Shapes]> {
  const oneOf = Object.values(shapes)
  return {
    type: 'object',
    description,
    required: [tag],
    discriminator: { propertyName: tag },
    oneOf,
  } as unknown as TUnsafe<{ [Name in keyof Shapes]: Static<Shapes[Name]> }[keyof Shapes]>
}
