/** The classes of all elements; nothing is registered. */
export { CytoCrop } from './crop/crop.ts';
export { CytoDims } from './dims/dims.ts';
export { CytoEdits } from './edits/edits.ts';
export { CytoExportMenu } from './export-menu/export-menu.ts';
export { CytoHistogram } from './histogram/histogram.ts';
export { CytoImage } from './image/image.ts';
export { CytoJoinReview } from './join-review/join-review.ts';
export { CytoLabelTable } from './label-table/label-table.ts';
export { CytoLabels } from './labels/labels.ts';
export { CytoLayerList } from './layer-list/layer-list.ts';
export { CytoModelChooser } from './model-chooser/model-chooser.ts';
export { CytoOmeroPanel } from './omero-panel/omero-panel.ts';
export { CytoSegmenter, type RunDetail } from './segmenter/segmenter.ts';
export { CytoStatus } from './status/status.ts';
export { CytoToolbar } from './toolbar/toolbar.ts';
export { CytoTools } from './tools/tools.ts';
export { CytoViewer } from './viewer/viewer.ts';
export { CytoWorkbench } from './workbench/workbench.ts';
