/**
 * The first file that the page loads. In the hidden frame of a silent renewal it only hands the
 * answer of the authorization server to the page around it; everywhere else it loads the explorer.
 */
import { CALLBACK_MESSAGE, readCallback } from './callback';

const callback = readCallback();

if (window.parent !== window && callback) {
  window.parent.postMessage({ type: CALLBACK_MESSAGE, callback }, location.origin);
} else {
  void import('./app').then(({ start }) => start(callback));
}
