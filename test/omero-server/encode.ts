import type { OmeroStore, StoredImage, StoredRoi } from './store.ts';

const SCHEMA = 'http://www.openmicroscopy.org/Schemas/OME/2016-06#';
export const IMPORTED_MS = 1_700_000_000_000;

/** A signed 32-bit colour, red highest. */
export function signedColor(hex: string): number {
  return (Number.parseInt(`${hex}ff`, 16) | 0) >> 0;
}

/** `omero:details` of objects of a user of group 3. */
function details(store: OmeroStore, owner: number, can: boolean, extra: object = {}) {
  const user = store.users.find(({ id }) => id === owner) ?? store.users[0];
  return {
    '@type': 'TBD#Details',
    owner: {
      '@type': `${SCHEMA}Experimenter`,
      '@id': user.id,
      FirstName: user.first,
      LastName: user.last,
      UserName: user.name,
    },
    group: { '@type': `${SCHEMA}ExperimenterGroup`, '@id': 3, Name: 'Lab A' },
    permissions: {
      '@type': 'TBD#Permissions',
      perm: can ? 'rwra--' : 'rwr---',
      canAnnotate: can,
      canDelete: can,
      canEdit: can,
      canLink: can,
      isWorldWrite: false,
      isWorldRead: false,
      isGroupWrite: false,
      isGroupRead: true,
      isGroupAnnotate: can,
      isUserWrite: true,
      isUserRead: true,
    },
    ...extra,
  };
}

/** An image as the JSON API encodes it; lists have no channels. */
export function encodeImage(store: OmeroStore, image: StoredImage, base: string, single: boolean) {
  const [t, c, z, y, x] = image.shape;
  const length = (value: number) =>
    image.size
      ? { '@type': 'TBD#LengthI', Unit: image.size.unit, Symbol: image.size.symbol, Value: value }
      : undefined;
  const external = image.externalInfo && {
    externalInfo: { '@type': 'TBD#ExternalInfo', '@id': 9001, ...image.externalInfo },
  };
  return {
    '@type': `${SCHEMA}Image`,
    '@id': image.id,
    'omero:details': details(store, 2, image.canAnnotate, external),
    AcquisitionDate: IMPORTED_MS,
    'omero:archived': false,
    Name: image.name,
    'omero:partial': false,
    'omero:series': 0,
    Pixels: {
      '@type': `${SCHEMA}Pixels`,
      '@id': image.id,
      PhysicalSizeX: image.size && length(image.size.x),
      PhysicalSizeY: image.size && length(image.size.y),
      PhysicalSizeZ: image.size && length(image.size.z),
      SizeX: x,
      SizeY: y,
      SizeZ: z,
      SizeC: c,
      SizeT: t,
      Type: { '@type': 'TBD#PixelsType', '@id': 6, value: image.type },
      ...(single
        ? {
            Channels: image.channels.map(({ name, color }, k) => ({
              '@type': `${SCHEMA}Channel`,
              '@id': 201 + k,
              Color: signedColor(color),
              Name: name,
            })),
          }
        : {}),
    },
    ...(single
      ? {
          'url:datasets': `${base}m/images/${image.id}/datasets/`,
          'url:rois': `${base}m/images/${image.id}/rois/`,
        }
      : { 'url:image': `${base}m/images/${image.id}/` }),
  };
}

/** A ROI as the JSON API encodes it; masks lose their bytes. */
export function encodeRoi(store: OmeroStore, roi: StoredRoi, base: string | undefined, shapes = true) {
  const mine = details(store, roi.owner, true);
  return {
    '@type': `${SCHEMA}ROI`,
    '@id': roi.id,
    'omero:details': mine,
    ...(roi.name === undefined ? {} : { Name: roi.name }),
    ...(shapes && roi.shapes.length > 0
      ? {
          shapes: roi.shapes.map(({ oldId: _, bytes: _bytes, ...shape }) => ({
            ...shape,
            'omero:details': mine,
          })),
        }
      : {}),
    ...(base ? { 'url:roi': `${base}m/rois/${roi.id}/` } : {}),
  };
}

/** Sizes [y, x] of the levels of an image, the full one first. */
export function levelsOf({ shape, levels = 1 }: StoredImage): Array<[number, number]> {
  return Array.from({ length: levels }, (_, k) => [shape[3] >> k, shape[4] >> k]);
}

/** webgateway's imgData. */
export function imgData(image: StoredImage) {
  const [t, c, z, y, x] = image.shape;
  const { levels = 1, size } = image;
  const micro = size?.unit === 'NANOMETER' ? 1e-3 : 1;
  return {
    id: image.id,
    meta: {
      imageName: image.name,
      imageDescription: '',
      imageAuthor: 'Uma Ser',
      projectName: 'P1',
      projectId: 1,
      datasetName: 'D11',
      datasetId: 11,
      wellSampleId: '',
      wellId: '',
      imageTimestamp: IMPORTED_MS / 1000,
      imageId: image.id,
      pixelsType: image.type,
    },
    perms: {
      canAnnotate: image.canAnnotate,
      canEdit: image.canAnnotate,
      canDelete: image.canAnnotate,
      canLink: image.canAnnotate,
    },
    tiles: levels > 1,
    ...(levels > 1
      ? {
          tile_size: { width: 256, height: 256 },
          levels,
          resolutions: Object.fromEntries(levelsOf(image).map(([sizeY, sizeX], k) => [k, { sizeX, sizeY }])),
          zoomLevelScaling: Object.fromEntries(levelsOf(image).map(([, width], k) => [k, width / x])),
        }
      : {}),
    interpolate: true,
    size: { width: x, height: y, z, t, c },
    pixel_size: size
      ? { x: size.x * micro, y: size.y * micro, z: size.z * micro }
      : { x: null, y: null, z: null },
    init_zoom: 0,
    pixel_range: image.type === 'uint8' ? [0, 255] : [0, 65535],
    channels: image.channels.map(({ name, color, window: [start, end] }) => ({
      emissionWave: null,
      label: name,
      color,
      inverted: false,
      reverseIntensity: false,
      family: 'linear',
      coefficient: 1,
      window: { min: 0, max: 65535, start, end },
      active: true,
    })),
    rdefs: { model: 'color', projection: 'normal', defaultZ: z >> 1, defaultT: 0, invertAxis: false },
  };
}
